import { differentialSuite, eventSubject } from '@otel-ws/testkit/differential'
import { eventHarnesses } from './harness.ts'

// Scripts over polling take ten times as long: they are for `pnpm fuzz`.
const isLong = process.env['FUZZ_MINUTES'] !== undefined
differentialSuite(eventHarnesses.filter(({ capabilities }) => isLong || capabilities.frames).map(eventSubject))
