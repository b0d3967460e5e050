import { transparencySuite } from '@otel-ws/testkit/suites'
import { harnesses } from './harness.ts'

for (const harness of harnesses) transparencySuite(harness)
