import { leakSuite } from '@otel-ws/testkit/suites'
import { harness } from './harness.ts'

leakSuite(harness, ['sampled', 'in one trace per connection', 'not sampled'])
