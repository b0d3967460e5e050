import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { extractFromPacket, injectIntoPacket } from '../../src/propagation/packet.ts'
import { propagationTerms } from '../../src/propagation/terms.ts'

const terms = propagationTerms('parent', true, true)
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

describe('a carrier in a packet', () => {
  it('is the last element, and is taken out again', () => {
    const data = Object.freeze(['chat', 'hi'])
    const wire = injectIntoPacket(terms, data, { traceparent })
    expect(wire).toEqual(['chat', 'hi', { _otel: { traceparent } }])
    const extracted = extractFromPacket(terms, wire as unknown[])
    expect(extracted?.carrier?.traceparent).toBe(traceparent)
    expect(wire).toEqual(data)
  })

  it('has the name that was declared', () => {
    const declared = propagationTerms('link', false, false, 'trace_context')
    const wire = injectIntoPacket(declared, [], { traceparent }) as unknown[]
    expect(wire).toEqual([{ trace_context: { traceparent } }])
    expect(extractFromPacket(terms, wire)).toBeUndefined()
    expect(extractFromPacket(declared, wire)?.carrier?.traceparent).toBe(traceparent)
  })

  it('comes out of any packet that it went into, and the packet is what it was', () => {
    const own = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.dictionary(fc.constantFrom('_otel', 'a'), fc.jsonValue({ maxDepth: 1 })),
      fc.constantFrom<unknown>({ _otel: { traceparent } }, { _otel: {} }, { _otel: { baggage: 1 } }, undefined, null),
    )
    const carrier = fc.constantFrom(undefined, {}, { traceparent }, { traceparent, baggage: 'a=1' })
    fc.assert(
      fc.property(fc.array(own, { maxLength: 4 }), carrier, (data, carried) => {
        const before = structuredClone(data)
        const wire = injectIntoPacket(terms, data, carried) ?? [...data]
        expect(data).toEqual(before)
        const extracted = extractFromPacket(terms, wire)
        expect(wire).toEqual(before)
        if (carried?.traceparent !== undefined) expect(extracted?.carrier?.traceparent).toBe(traceparent)
        else expect(extracted?.carrier?.traceparent).toBeUndefined()
      }),
      { numRuns: 500 },
    )
  })
})
