import { connectionSuite, handshakeSuite } from '@otel-ws/testkit/suites'
import { harnesses } from './harness.ts'

for (const harness of harnesses) handshakeSuite(harness)
connectionSuite(harnesses[0]!)
