import { describe } from 'vitest'
import { ackTests } from './connection/acks.ts'
import { broadcastTests } from './connection/broadcast.ts'
import { closeTests } from './connection/closes.ts'
import { connectionContextTests } from './connection/connection-context.ts'
import { errorTests } from './connection/errors.ts'
import { heartbeatTests } from './connection/heartbeat.ts'
import { hookTests } from './connection/hooks.ts'
import { metricTests } from './connection/metrics.ts'
import { processTests } from './connection/process.ts'
import { baggageTests } from './connection/propagation/baggage.ts'
import { broadcastContextTests } from './connection/propagation/broadcast.ts'
import { incomingContextTests } from './connection/propagation/incoming.ts'
import { outgoingContextTests } from './connection/propagation/outgoing.ts'
import { samplingTests } from './connection/sampling.ts'
import { sendTests } from './connection/send.ts'
import { shapeTests } from './connection/shapes.ts'
import { unknownEventTests } from './connection/unknown-events.ts'
import { useEventFixture } from './fixture.ts'
import { acceptedTests } from './handshake/accepted.ts'
import { agreementTests } from './handshake/agreement.ts'
import { firstEventTests } from './handshake/first-event.ts'
import { openTests } from './handshake/open.ts'
import { rejectedTests } from './handshake/rejected.ts'
import type { EventHarness } from './harness.ts'

/**
 * Declares the tests of what depends on how a host of named events is set up: handshakes, their rejection, the connection
 * handler, the agreement to context in messages, and one event. Run it for every set-up of an adapter.
 */
export function eventHandshakeSuite(harness: EventHarness): void {
  describe(`handshakes of ${harness.name}`, () => {
    const fixture = useEventFixture(harness)
    for (const part of [acceptedTests, rejectedTests, openTests, agreementTests, firstEventTests]) {
      part(harness, fixture)
    }
  })
}

/**
 * Declares the tests of everything that the schema promises of an open connection with named events, up to its close. Run
 * it once per adapter, or for every set-up that changes how events are encoded or carried.
 */
export function eventConnectionSuite(harness: EventHarness): void {
  const { capabilities } = harness

  describe(`connections of ${harness.name}`, () => {
    const fixture = useEventFixture(harness)
    for (const part of [
      processTests,
      unknownEventTests,
      errorTests,
      sendTests,
      broadcastTests,
      closeTests,
      shapeTests,
      metricTests,
      samplingTests,
      hookTests,
      connectionContextTests,
      incomingContextTests,
      outgoingContextTests,
      baggageTests,
      broadcastContextTests,
    ]) {
      part(harness, fixture)
    }
    if (capabilities.acks) ackTests(harness, fixture)
    if (capabilities.heartbeats !== 'none') heartbeatTests(harness, fixture)
  })
}
