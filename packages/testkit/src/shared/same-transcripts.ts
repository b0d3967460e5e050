import { afterEach, describe, expect, it } from 'vitest'
import { FaultySdk } from '../testing/faulty-sdk.ts'
import type { Telemetry } from '../testing/telemetry.ts'
import { lateEntries } from './late-entries.ts'
import { plain } from './plain.ts'
import { sdkOf, type Variant, variants } from './variants.ts'

/** Runs a script with telemetry or without, and returns what it logged. */
export type TransparencyRun = (telemetry: Readonly<Record<string, unknown>> | undefined) => Promise<unknown[]>

/** Declares that scripts give the same transcript with telemetry as without, in each variant. */
export function sameTranscripts(scripts: Readonly<Record<string, TransparencyRun>>): void {
  // A bare host may see whether there is an SDK, but not how that samples: one run serves several variants.
  const bareRuns = new Map<string, unknown[]>()
  let installed: Telemetry | FaultySdk | undefined

  afterEach(async () => {
    await installed?.uninstall()
    installed = undefined
  })

  async function bareRun(name: string, run: TransparencyRun): Promise<unknown[]> {
    const key = `${installed === undefined ? 'without' : 'with'} SDK: ${name}`
    const known = bareRuns.get(key)
    if (known !== undefined) return known
    const transcript = await run(undefined)
    expect(installed?.spans() ?? []).toEqual([])
    bareRuns.set(key, transcript)
    return transcript
  }

  describe.each(Object.keys(variants))('%s', (which) => {
    const { sdk, telemetry } = variants[which] as Variant

    it.each(Object.keys(scripts))('does not change %s', async (name) => {
      const run = scripts[name] as TransparencyRun
      installed = sdkOf(sdk)
      installed?.install()
      const bare = await bareRun(name, run)
      const traced = await run(telemetry)
      await lateEntries(traced, bare)
      expect(plain(traced)).toEqual(plain(bare))
      expect(bare.length).toBeGreaterThan(0)
      expect(installed?.openSpans() ?? []).toEqual([])
      if (sdk === 'sampled') expect(installed?.spans().length).toBeGreaterThan(0)
      if (installed instanceof FaultySdk) expect(installed.faults).toBeGreaterThan(0)
    })
  })
}
