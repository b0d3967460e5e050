import { describe } from 'vitest'
import { sameTranscripts } from '../shared/same-transcripts.ts'
import type { EventHarness } from './harness.ts'
import { eventScripts } from './transparency/scripts.ts'
import { EventStage } from './transparency/stage.ts'

/** Declares that every script for events gives the same transcript with telemetry as without, for one adapter and host. */
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
            return [...stage.transcript]
          },
        ]),
      ),
    )
  })
}
