import { transparencySuite } from '@otel-ws/testkit/suites'
import { harnesses } from './harness.ts'

// The other set-up is traced by the same calls, and its host leaves some bad upgrades without an answer.
transparencySuite(harnesses[0]!)
