import { describe } from 'vitest'
import { ackTests } from './conformance/acks.ts'
import { broadcastTests } from './conformance/broadcast.ts'
import { lifecycleTests } from './conformance/lifecycle.ts'
import { metricTests } from './conformance/metrics.ts'
import { processTests } from './conformance/process.ts'
import { recordTests } from './conformance/record.ts'
import { samplingTests } from './conformance/sampling.ts'
import { sendTests } from './conformance/send.ts'
import { useEventFixture } from './fixture.ts'
import type { EventHarness } from './harness.ts'

/** Declares the tests of everything that the schema promises of named events, for one adapter and host. */
export function eventConformanceSuite(harness: EventHarness): void {
  describe(`conformance of ${harness.name}`, () => {
    const fixture = useEventFixture(harness)
    for (const part of [lifecycleTests, processTests, sendTests, samplingTests, metricTests, recordTests]) {
      part(harness, fixture)
    }
    broadcastTests(harness, fixture)
    if (harness.capabilities.acks) ackTests(harness, fixture)
  })
}
