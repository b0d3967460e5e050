import { negotiationVectors } from '@otel-ws/testkit'
import { describe, expect, it } from 'vitest'
import { requestedOffer } from '../../src/handshake/negotiation.ts'
import {
  acceptHeaderValue,
  helloMessage,
  isMemberName,
  parseAcceptHeader,
  parseHello,
} from '../../src/propagation/negotiation.ts'

const id = '00f067aa0ba902b7'

describe('negotiation', () => {
  it.each(negotiationVectors.offers)('reads an offer: $name', ({ headers, url, offer }) => {
    expect(requestedOffer({ headers, url }) ?? null).toBe(offer)
  })

  it.each(negotiationVectors.answers)('reads an answer: $name', ({ value, id }) => {
    expect(parseAcceptHeader(value) ?? null).toBe(id)
  })

  it.each(negotiationVectors.hellos)('reads a hello: $name', ({ text, id }) => {
    expect(parseHello(text) ?? null).toBe(id)
  })

  it('reads what it writes', () => {
    expect(parseAcceptHeader(acceptHeaderValue(id))).toBe(id)
    expect(parseHello(helloMessage(id))).toBe(id)
  })

  it('takes no header that was sent twice for an agreement', () => {
    expect(requestedOffer({ headers: { 'otel-ws': ['1', '1'] } })).toBeUndefined()
    expect(parseAcceptHeader([acceptHeaderValue(id), acceptHeaderValue(id)])).toBeUndefined()
    expect(parseAcceptHeader(undefined)).toBeUndefined()
  })
})

describe('isMemberName', () => {
  it.each(['_otel', 'trace_context', '$trace', 'traceContext', 'a.b-c'])('takes %s', (name) => {
    expect(isMemberName(name)).toBe(true)
  })

  it.each(['', 'a b', '"', '\\', '1a', '__proto__', 'x'.repeat(65), '\u00e9', 1, undefined])('refuses %s', (name) => {
    expect(isMemberName(name)).toBe(false)
  })
})
