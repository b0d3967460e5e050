import { differentialSuite, socketSubject } from '@otel-ws/testkit/differential'
import { harnesses } from './harness.ts'

differentialSuite(harnesses.map(socketSubject))
