import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import pc from 'picocolors'
import { expect, it } from 'vitest'
import { SpanTally } from '../src/summary.ts'
import { EndedSpans, START, tracerFor } from './fixture.ts'

it('counts spans by kind and name, with errors and durations', () => {
  const ended = new EndedSpans()
  const tracer = tracerFor(ended)
  for (const duration of [4, 1, 2, 3]) {
    tracer.startSpan('process say', { kind: SpanKind.CONSUMER, startTime: START }).end(START + duration)
  }
  const rejected = tracer.startSpan('GET /chat/:room', { kind: SpanKind.SERVER, startTime: START })
  rejected.setStatus({ code: SpanStatusCode.ERROR }).end(START + 1_500)

  const tally = new SpanTally()
  for (const span of ended.spans) tally.add(span)
  expect(tally.errors).toBe(1)
  expect(tally.format(pc.createColors(false))).toEqual([
    'Spans                                               count   errors      p50      p95      max',
    '  SERVER    GET /chat/:room                             1        1   1.50 s   1.50 s   1.50 s',
    '  CONSUMER  process say                                 4        0  2.00 ms  4.00 ms  4.00 ms',
  ])
})
