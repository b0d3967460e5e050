import { differentialSuite, socketSubject } from '@otel-ws/testkit/differential'
import { harness } from './harness.ts'

differentialSuite([socketSubject(harness)])
