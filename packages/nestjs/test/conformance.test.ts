import { eventConnectionSuite, eventHandshakeSuite } from '@otel-ws/testkit/suites'
import { eventHarnesses } from './harness.ts'

// Each platform calls gateways in a way of its own.
for (const harness of eventHarnesses) {
  eventHandshakeSuite(harness)
  eventConnectionSuite(harness)
}
