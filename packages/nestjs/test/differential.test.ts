import { differentialSuite, eventSubject } from '@otel-ws/testkit/differential'
import { eventHarnesses } from './harness.ts'

differentialSuite(eventHarnesses.map(eventSubject))
