import { conformanceSuite } from '@otel-ws/testkit/suites'
import { harness } from './harness.ts'

conformanceSuite(harness)
