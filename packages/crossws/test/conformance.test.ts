import { connectionSuite, eventHandshakeSuite, handshakeSuite } from '@otel-ws/testkit/suites'
import { eventHarness, harness } from './harness.ts'

handshakeSuite(harness)
connectionSuite(harness)
// Names are read from JSON in every host alike: the connections of named events are those above.
eventHandshakeSuite(eventHarness)
