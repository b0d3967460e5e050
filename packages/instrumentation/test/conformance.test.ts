import { conformanceSuite } from '@otel-ws/testkit/suites'
import { harnesses } from './harness.ts'

for (const harness of harnesses) conformanceSuite(harness)
