import { leakSuite } from '@otel-ws/testkit/suites'
import { harness } from './harness.ts'

// The adapters' suites measure what a connection leaves in memory; instrumentation adds nothing to a connection.
leakSuite(harness, [])
