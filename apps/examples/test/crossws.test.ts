import {
  connectionSuite,
  eventConnectionSuite,
  eventHandshakeSuite,
  eventTransparencySuite,
  handshakeSuite,
  transparencySuite,
} from '@otel-ws/testkit/suites'
import { harness as eventHarness } from './crossws-harness.ts'
import { harness } from './crossws-socket-harness.ts'

handshakeSuite(harness)
connectionSuite(harness)
transparencySuite(harness)
eventHandshakeSuite(eventHarness)
eventConnectionSuite(eventHarness)
eventTransparencySuite(eventHarness)
