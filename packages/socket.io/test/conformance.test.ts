import { eventConnectionSuite, eventHandshakeSuite } from '@otel-ws/testkit/suites'
import { eventHarnesses } from './harness.ts'

// Transport and parser lie below events: each set-up encodes and carries them in a way of its own.
for (const harness of eventHarnesses) {
  eventHandshakeSuite(harness)
  eventConnectionSuite(harness)
}
