import { leakSuite } from '@otel-ws/testkit/suites'
import { harness } from './harness.ts'

// What a connection leaves behind, the suites of the adapters measure: instrumentation adds nothing to a connection.
leakSuite(harness, [])
