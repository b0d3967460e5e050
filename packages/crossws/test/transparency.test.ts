import { transparencySuite } from '@otel-ws/testkit/suites'
import { harness } from './harness.ts'

transparencySuite(harness)
