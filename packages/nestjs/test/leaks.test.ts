import { eventLeakSuite } from '@otel-ws/testkit/suites'
import { eventHarnesses } from './harness.ts'

for (const harness of eventHarnesses) eventLeakSuite(harness)
