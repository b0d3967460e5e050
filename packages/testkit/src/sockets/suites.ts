import { describe } from 'vitest'
import { broadcastTests } from './connection/broadcast.ts'
import { closeTests } from './connection/close.ts'
import { connectionContextTests } from './connection/connection-context.ts'
import { errorTests } from './connection/errors.ts'
import { heartbeatTests } from './connection/heartbeat.ts'
import { hookTests } from './connection/hooks.ts'
import { metricTests } from './connection/metrics.ts'
import { namingTests } from './connection/naming.ts'
import { processTests } from './connection/process.ts'
import { promiseTests } from './connection/promises.ts'
import { baggageTests } from './connection/propagation/baggage.ts'
import { broadcastContextTests } from './connection/propagation/broadcast.ts'
import { incomingContextTests } from './connection/propagation/incoming.ts'
import { messageContextTests } from './connection/propagation/message-context.ts'
import { outgoingContextTests } from './connection/propagation/outgoing.ts'
import { samplingTests } from './connection/sampling.ts'
import { sendTests } from './connection/send.ts'
import { shapeTests } from './connection/shapes.ts'
import { streamTests } from './connection/streams.ts'
import { useFixture } from './fixture.ts'
import { acceptedTests } from './handshake/accepted.ts'
import { agreementTests } from './handshake/agreement.ts'
import { firstMessageTests } from './handshake/first-message.ts'
import { openTests } from './handshake/open.ts'
import { proxiedTests } from './handshake/proxied.ts'
import { rejectedTests } from './handshake/rejected.ts'
import { remoteContextTests } from './handshake/remote-context.ts'
import type { Harness } from './harness.ts'
import { callbackTests } from './ws/callbacks.ts'
import { drainTests } from './ws/drain.ts'
import { fragmentTests } from './ws/fragments.ts'
import { listenerTests } from './ws/listeners.ts'
import { payloadTests } from './ws/payloads.ts'
import { wsPropagationTests } from './ws/propagation.ts'
import { wsFixture } from './ws-fixture.ts'

/**
 * Declares the tests of what depends on how a host is set up: handshakes, their rejection, the connection handler, the
 * agreement to context in messages, and one message. Run it for every set-up of an adapter.
 */
export function handshakeSuite(harness: Harness): void {
  describe(`handshakes of ${harness.name}`, () => {
    const fixture = useFixture(harness)
    for (const part of [
      acceptedTests,
      remoteContextTests,
      proxiedTests,
      rejectedTests,
      openTests,
      agreementTests,
      firstMessageTests,
    ]) {
      part(harness, fixture)
    }
  })
}

/**
 * Declares the tests of everything that the schema promises of an open connection, up to its close. How the connection
 * came about makes no difference: run it once per adapter.
 */
export function connectionSuite(harness: Harness): void {
  const { capabilities } = harness

  describe(`connections of ${harness.name}`, () => {
    const fixture = useFixture(harness)
    for (const part of [
      processTests,
      promiseTests,
      errorTests,
      sendTests,
      broadcastTests,
      closeTests,
      shapeTests,
      metricTests,
      samplingTests,
      namingTests,
      hookTests,
      connectionContextTests,
      streamTests,
      incomingContextTests,
      messageContextTests,
      baggageTests,
      outgoingContextTests,
      broadcastContextTests,
    ]) {
      part(harness, fixture)
    }
    if (capabilities.pings) heartbeatTests(harness, fixture)
    if (!capabilities.ws) return
    for (const part of [listenerTests, payloadTests, fragmentTests, callbackTests, wsPropagationTests, drainTests]) {
      part(harness, wsFixture(fixture))
    }
  })
}
