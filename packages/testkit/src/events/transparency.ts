import { AlwaysOffSampler } from '@opentelemetry/sdk-trace'
import { afterEach, describe, expect, it } from 'vitest'
import { Telemetry } from '../telemetry.ts'
import { plain } from '../transparency/stage.ts'
import { type Variant, variants } from '../transparency/variants.ts'
import type { EventHarness } from './harness.ts'
import { eventScripts } from './transparency/scripts.ts'
import { EventStage } from './transparency/stage.ts'

/** What a script logs, and whether telemetry is there for it. */
export type TransparencyRun = (telemetry: Readonly<Record<string, unknown>> | undefined) => Promise<unknown[]>

/** Declares that scripts give the same transcript with telemetry as without, in each set-up that must be unnoticeable. */
export function sameTranscripts(scripts: Readonly<Record<string, TransparencyRun>>): void {
  let installed: Telemetry | undefined

  afterEach(async () => {
    await installed?.uninstall()
    installed = undefined
  })

  describe.each(Object.keys(variants))('%s', (which) => {
    const { sdk, telemetry } = variants[which] as Variant

    it.each(Object.keys(scripts))('does not change %s', async (name) => {
      const run = scripts[name] as TransparencyRun
      if (sdk !== 'none') {
        installed = new Telemetry()
        if (sdk === 'not sampled') installed.sampler = new AlwaysOffSampler()
        installed.install()
      }
      const bare = plain(await run(undefined))
      expect(installed?.spans() ?? []).toEqual([])
      const traced = plain(await run(telemetry))
      expect(traced).toEqual(bare)
      expect((bare as unknown[]).length).toBeGreaterThan(0)
      expect(installed?.openSpans() ?? []).toEqual([])
      if (sdk === 'sampled') expect(installed?.spans().length).toBeGreaterThan(0)
    })
  })
}

/** Declares that applications of an event host notice nothing, for one adapter and host. */
export function eventTransparencySuite(harness: EventHarness): void {
  const scripts = Object.entries(eventScripts).filter(
    ([, { needs }]) => needs === undefined || harness.capabilities[needs],
  )

  describe(`transparency of ${harness.name}`, () => {
    sameTranscripts(
      Object.fromEntries(
        scripts.map(([name, { script }]) => [
          name,
          async (telemetry) => {
            const stage = new EventStage(harness, telemetry)
            try {
              await script(stage)
            } finally {
              await stage.clear()
            }
            return stage.transcript
          },
        ]),
      ),
    )
  })
}
