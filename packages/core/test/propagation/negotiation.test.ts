import { negotiationVectors } from '@otel-ws/testkit'
import { describe, expect, it } from 'vitest'
import { readOffer } from '../../src/handshake/offer.ts'
import { authorityOf, isAuthority, normalAuthority } from '../../src/options/authority.ts'
import {
  acceptHeaderValue,
  CONFIRMATION,
  CONFIRMATION_EVENT,
  headerOffer,
  helloMessage,
  isConfirmation,
  isConfirmationEvent,
  isMemberName,
  parseAcceptHeader,
  parseHeaderOffer,
  parseHello,
  parseQueryOffer,
  queryOffer,
} from '../../src/propagation/negotiation.ts'

const id = '00f067aa0ba902b7'
const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='

describe('negotiation', () => {
  it.each(negotiationVectors.offers)('reads an offer: $name', ({ headers, url, offer, copied }) => {
    const { by = null, copied: from = null } = readOffer({ headers, url }, [])
    expect({ offer: by, copied: from }).toEqual({ offer, copied })
  })

  it.each(negotiationVectors.confirmations)('reads a confirmation: $name', ({ text, confirms }) => {
    expect([isConfirmation(text), isConfirmation(Buffer.from(text))]).toEqual([confirms, confirms])
  })

  it.each(negotiationVectors.confirmationEvents)('reads the event of a confirmation: $name', ({ data, confirms }) => {
    expect(isConfirmationEvent(data)).toBe(confirms)
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
    expect(parseHeaderOffer(headerOffer(KEY))).toBe(KEY)
    expect(parseQueryOffer(queryOffer('[::1]:8080'))).toBe('[::1]:8080')
    expect(isConfirmation(CONFIRMATION)).toBe(true)
    expect(isConfirmationEvent(CONFIRMATION_EVENT)).toBe(true)
  })

  it('takes no header that was sent twice for an agreement', () => {
    const twice = [headerOffer(KEY), headerOffer(KEY)]
    const request = { headers: { 'sec-websocket-key': KEY, 'otel-ws': twice } }
    expect(readOffer(request, []).by).toBeUndefined()
    expect(parseAcceptHeader([acceptHeaderValue(id), acceptHeaderValue(id)])).toBeUndefined()
    expect(parseAcceptHeader(undefined)).toBeUndefined()
  })
})

describe('the authority that a client dials', () => {
  it.each([
    ['ws://Chat.Example/path?a=1', 'chat.example'],
    ['ws://chat.example:80', 'chat.example'],
    ['wss://chat.example:443', 'chat.example'],
    ['wss://chat.example:80', 'chat.example:80'],
    ['ws://[::1]:3000', '[::1]:3000'],
    ['ws+unix:///tmp/chat.sock:/path', 'localhost'],
    ['no url', undefined],
  ])('of %s is %s', (url, authority) => {
    expect(authorityOf(url)).toBe(authority)
  })

  it('is known without the default port of either scheme in option authorities', () => {
    expect(['Chat.Example:443', 'chat.example:80', 'chat.example:81'].map(normalAuthority)).toEqual([
      'chat.example',
      'chat.example',
      'chat.example:81',
    ])
  })

  it.each(['', 'a b', 'ws://chat.example', 'chat.example/path', 'user@chat.example', 'chat.example:port', 1])(
    'is not %s',
    (value) => {
      expect(isAuthority(value)).toBe(false)
    },
  )
})

describe('isMemberName', () => {
  it.each(['_otel', 'trace_context', '$trace', 'traceContext', 'a.b-c'])('takes %s', (name) => {
    expect(isMemberName(name)).toBe(true)
  })

  it.each(['', 'a b', '"', '\\', '1a', '__proto__', 'x'.repeat(65), '\u00e9', 1, undefined])('refuses %s', (name) => {
    expect(isMemberName(name)).toBe(false)
  })
})
