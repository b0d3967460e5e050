import { AlwaysOffSampler } from '@opentelemetry/sdk-trace'
import { afterEach, describe, expect, it } from 'vitest'
import { Telemetry } from '../telemetry.ts'
import { plain } from './stage.ts'
import { type Variant, variants } from './variants.ts'

/** What a script logs, and whether telemetry is there for it. */
export type TransparencyRun = (telemetry: Readonly<Record<string, unknown>> | undefined) => Promise<unknown[]>

/** Declares that scripts give the same transcript with telemetry as without, in each set-up that must be unnoticeable. */
export function sameTranscripts(scripts: Readonly<Record<string, TransparencyRun>>): void {
  // A bare host may tell whether there is an SDK, but not how that samples: one run serves several set-ups.
  const bareRuns = new Map<string, unknown>()
  let installed: Telemetry | undefined

  afterEach(async () => {
    await installed?.uninstall()
    installed = undefined
  })

  async function bareRun(name: string, run: TransparencyRun): Promise<unknown> {
    const key = `${installed === undefined ? 'without' : 'with'} SDK: ${name}`
    if (!bareRuns.has(key)) {
      bareRuns.set(key, plain(await run(undefined)))
      expect(installed?.spans() ?? []).toEqual([])
    }
    return bareRuns.get(key)
  }

  describe.each(Object.keys(variants))('%s', (which) => {
    const { sdk, telemetry } = variants[which] as Variant

    it.each(Object.keys(scripts))('does not change %s', async (name) => {
      const run = scripts[name] as TransparencyRun
      if (sdk !== 'none') {
        installed = new Telemetry()
        if (sdk === 'not sampled') installed.sampler = new AlwaysOffSampler()
        installed.install()
      }
      const bare = await bareRun(name, run)
      const traced = plain(await run(telemetry))
      expect(traced).toEqual(bare)
      expect((bare as unknown[]).length).toBeGreaterThan(0)
      expect(installed?.openSpans() ?? []).toEqual([])
      if (sdk === 'sampled') expect(installed?.spans().length).toBeGreaterThan(0)
    })
  })
}
