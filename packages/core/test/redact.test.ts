import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createQueryRedactor } from '../src/options/redact.ts'

const redact = createQueryRedactor()

describe('createQueryRedactor', () => {
  it.each([
    ['token=abc', 'token=REDACTED'],
    ['a=1&token=abc&b=2', 'a=1&token=REDACTED&b=2'],
    ['token=a&token=b', 'token=REDACTED&token=REDACTED'],
    ['token=a=b=c', 'token=REDACTED'],
    ['token=', 'token=REDACTED'],
    ['token', 'token'],
    [
      'TOKEN=a&Access-Token=b&access_token=c&accessToken=d',
      'TOKEN=REDACTED&Access-Token=REDACTED&access_token=REDACTED&accessToken=REDACTED',
    ],
    ['%74oken=a&to%6Ben=b', '%74oken=REDACTED&to%6Ben=REDACTED'],
    ['+token+=a&token[]=b&token%5B%5D=c', '+token+=REDACTED&token[]=REDACTED&token%5B%5D=REDACTED'],
    ['user[password]=a&auth.token=b', 'user[password]=REDACTED&auth.token=REDACTED'],
    ['api_key=a&sig=b&jwt=c&sid=d', 'api_key=REDACTED&sig=REDACTED&jwt=REDACTED&sid=REDACTED'],
    ['traceparent=00-a&tracestate=b&baggage=c', 'traceparent=REDACTED&tracestate=REDACTED&baggage=REDACTED'],
    ['monkey=a&tokens=b&author=c', 'monkey=a&tokens=b&author=c'],
    ['=a&&&=', '=a&&&='],
    ['%=a&%zz=b&%E0%A4%A=c', '%=a&%zz=b&%E0%A4%A=c'],
    ['room=a%20b+c&q=%', 'room=a%20b+c&q=%'],
    ['__proto__=a&constructor=b', '__proto__=a&constructor=b'],
    ['', ''],
  ])('makes of %s: %s', (query, expected) => {
    expect(redact(query)).toBe(expected)
  })

  it('takes further names, however they are written', () => {
    const own = createQueryRedactor(['X-Ticket-No', 'pin'])
    expect(own('xTicketNo=1&x_ticket_no=2&PIN=3&token=4&room=5')).toBe(
      'xTicketNo=REDACTED&x_ticket_no=REDACTED&PIN=REDACTED&token=REDACTED&room=5',
    )
  })

  const part = fc.string({
    unit: fc.constantFrom('a', 'token', 'key', '%', '%6B', '+', '=', ';', '#', '?', 'é', '[', ']', '_'),
  })

  it('changes nothing but values, keeps every name and leaves no secret, whatever the query', () => {
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const query = parts.join('&')
        const pairs = redact(query).split('&')
        expect(pairs).toHaveLength(query.split('&').length)
        for (const [index, before] of query.split('&').entries()) {
          const after = pairs[index] as string
          if (after === before) continue
          const name = before.slice(0, before.indexOf('='))
          expect(after).toBe(`${name}=REDACTED`)
        }
        expect(redact(redact(query))).toBe(redact(query))
      }),
      { numRuns: 500 },
    )
  })

  it('hides from every reader of queries what it would find under a secret name', () => {
    const value = fc.stringMatching(/^secret[a-z0-9]{1,8}$/)
    const spelling = fc.constantFrom(
      'token',
      'TOKEN',
      '%74oken',
      'tok%65n',
      'access_token',
      'access-token',
      'api%5Fkey',
      'pass%77ord',
    )
    fc.assert(
      fc.property(fc.array(part), spelling, value, fc.array(part), (before, name, secret, after) => {
        const query = [...before, `${name}=${secret}`, ...after].join('&')
        for (const found of new URLSearchParams(redact(query)).values()) expect(found).not.toBe(secret)
      }),
    )
  })
})
