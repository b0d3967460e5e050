import { createTraceState, type SpanContext } from '@opentelemetry/api'
import { jsonTextVectors } from '@otel-ws/testkit'
import { describe, expect, it } from 'vitest'
import { carrierFromSpanContext, MAX_CARRIER_LENGTH, spanContextOf } from '../../src/propagation/carrier.ts'
import { JsonMember } from '../../src/propagation/json-member.ts'

const spanContext: SpanContext = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  traceFlags: 1,
}
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

describe('carrierOf', () => {
  it('writes the W3C forms', () => {
    const traceState = createTraceState('vendor=value,other=1')
    expect(carrierFromSpanContext({ ...spanContext, traceState }, 'user=42')).toEqual({
      traceparent,
      tracestate: 'vendor=value,other=1',
      baggage: 'user=42',
    })
    expect(carrierFromSpanContext({ ...spanContext, traceFlags: 0 })).toEqual({
      traceparent: `${traceparent.slice(0, -1)}0`,
    })
    expect(carrierFromSpanContext(undefined, 'user=42')).toEqual({ baggage: 'user=42' })
  })

  it('is nothing without anything to carry', () => {
    expect(carrierFromSpanContext(undefined)).toBeUndefined()
    expect(carrierFromSpanContext(undefined, '')).toBeUndefined()
    expect(carrierFromSpanContext({ ...spanContext, traceId: '0'.repeat(32) })).toBeUndefined()
  })

  it('leaves out what would need escapes', () => {
    expect(carrierFromSpanContext({ ...spanContext, traceState: createTraceState('a="quoted"') }, 'a=\u00e9')).toEqual({
      traceparent,
    })
  })

  it('leaves out what is too long: the baggage before the trace state', () => {
    const traceState = createTraceState(`a=${'x'.repeat(250)},b=${'y'.repeat(250)}`)
    expect(carrierFromSpanContext({ ...spanContext, traceState }, `a=${'x'.repeat(500)}`)).toEqual({
      traceparent,
      tracestate: traceState.serialize(),
    })
  })

  it('never writes more than a receiver reads', () => {
    const member = new JsonMember('_otel')
    for (let length = 900; length < 1010; length++) {
      const carrier = carrierFromSpanContext(spanContext, 'x'.repeat(length)) ?? {}
      const wire = member.insert('{}', carrier)
      expect(member.extract(wire)?.carrier).toEqual(carrier)
      expect(wire.length - '{"_otel":}'.length).toBeLessThanOrEqual(MAX_CARRIER_LENGTH)
    }
  })
})

describe('spanContextOf', () => {
  it.each(jsonTextVectors.traceparents)('reads a traceparent: $name', ({ value, spanContext: expected }) => {
    const read = spanContextOf({ traceparent: value })
    if (expected === null) expect(read).toBeUndefined()
    else {
      const { traceId, spanId, sampled } = expected
      expect(read).toEqual({ traceId, spanId, traceFlags: sampled ? 1 : 0, isRemote: true })
    }
  })

  it('reads the trace state, and does without one that is none', () => {
    expect(spanContextOf({ traceparent, tracestate: 'vendor=value' })?.traceState?.get('vendor')).toBe('value')
    expect(spanContextOf({ traceparent, tracestate: ',,=' })?.traceState?.serialize()).toBe('')
    expect(spanContextOf({ traceparent, tracestate: `a=${'x'.repeat(600)}` })?.traceState?.serialize()).toBe('')
    expect(spanContextOf({ tracestate: 'vendor=value' })).toBeUndefined()
  })
})
