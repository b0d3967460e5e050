import { jsonTextVectors } from '@otel-ws/testkit'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Carrier } from '../../src/propagation/carrier.ts'
import { JsonMember } from '../../src/propagation/json-member.ts'
import { TextMember } from '../../src/propagation/text-member.ts'

const member = new TextMember('_otel')
/** What servers use, whose texts may be bytes: both ends must do the same. */
const model = new JsonMember('_otel')

const text = fc.oneof(
  fc.json({ maxDepth: 2 }),
  fc
    .array(fc.constantFrom('{', '}', ',', ' ', '\n', '"a":1', '{"_otel":{', '"traceparent":"', '"', '"baggage":"x"'), {
      maxLength: 10,
    })
    .map((parts) => parts.join('')),
)
const value = fc.string({ unit: fc.constantFrom(...'{}[],: ab'), maxLength: 20 })
const carrier = fc.record({ traceparent: value, tracestate: value, baggage: value }, { requiredKeys: [] })

describe('a carrier in a text that is a string', () => {
  it.each(jsonTextVectors.splice)('goes into and out of $name', ({ member: name, text, carrier, wire }) => {
    const own = new TextMember(name)
    expect(own.inject(text, carrier as Carrier)).toBe(wire)
    expect(own.extract(wire)).toEqual({ payload: text, carrier, problem: undefined })
  })

  it.each(jsonTextVectors.untouched)('does not go into $name', ({ text }) => {
    expect(member.inject(text, { traceparent: '' })).toBe(text)
  })

  it.each(jsonTextVectors.refused)('is not taken from $name', ({ text, problem }) => {
    expect(member.extract(text)).toEqual({ payload: text, carrier: undefined, problem })
  })

  it('is put in and taken out as a server does', () => {
    fc.assert(
      fc.property(text, fc.option(carrier, { nil: undefined }), (before, context) => {
        const wire = model.canCarry(before) ? model.inject(before, before, context, false) : before
        expect(member.inject(before, context)).toBe(wire)
        expect(member.extract(wire as string)).toEqual(model.extract(wire as string))
        expect(member.extract(before)).toEqual(model.extract(before))
      }),
      { numRuns: 1000 },
    )
  })
})
