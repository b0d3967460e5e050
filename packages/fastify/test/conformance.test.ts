import { connectionSuite, handshakeSuite } from '@otel-ws/testkit/suites'
import { harness, harnesses } from './harness.ts'

for (const each of harnesses) handshakeSuite(each)
connectionSuite(harness)
