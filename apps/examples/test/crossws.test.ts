import { eventConnectionSuite, eventHandshakeSuite, eventTransparencySuite } from '@otel-ws/testkit/suites'
import { harness } from './crossws-harness.ts'

eventHandshakeSuite(harness)
eventConnectionSuite(harness)
eventTransparencySuite(harness)
