import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRedactor } from '../src/options/redact.ts'

const { query: redact, path, subprotocol } = createRedactor()

describe('a query', () => {
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
    ['monkey=a&tokens=b&author=c', 'monkey=a&tokens=REDACTED&author=c'],
    ['=a&&&=', '=a&&&='],
    ['%=a&%zz=b&%E0%A4%A=c', '%=a&%zz=b&%E0%A4%A=c'],
    ['room=a%20b+c&q=%', 'room=a%20b+c&q=%'],
    ['__proto__=a&constructor=b', '__proto__=a&constructor=b'],
    ['', ''],
  ])('makes of %s: %s', (query, expected) => {
    expect(redact(query)).toBe(expected)
  })

  it('takes further names, however they are written', () => {
    const own = createRedactor(['X-Room-No', 'pet']).query
    expect(own('xRoomNo=1&x_room_no=2&PET=3&token=4&room=5')).toBe(
      'xRoomNo=REDACTED&x_room_no=REDACTED&PET=REDACTED&token=REDACTED&room=5',
    )
  })

  it.each([
    'x-api-key',
    'X-Auth-Token',
    'bearer',
    'ws_token',
    'secretKey',
    'subscription-key',
    'otp',
    'totp',
    'auth_code',
    'client_assertion',
    'SAMLResponse',
    'PHPSESSID',
    'connect.sid',
    'hmac',
    'passphrase',
    'user_password',
    'db_pass',
    'userPin',
    'Ocp-Apim-Subscription-Key',
    'user[credentials][0]',
    'filter[token][]',
    '$token',
    'to-ken',
    '%2574oken',
    'ｔｏｋｅｎ',
  ])('hides the value of %s', (name) => {
    expect(redact(`a=1&${name}=abc&b=2`)).toBe(`a=1&${name}=REDACTED&b=2`)
  })

  it.each(['monkey', 'author', 'design', 'signal', 'keyword', 'robot_pos', 'credit', 'compass', 'shipping', 'inside'])(
    'records the value of %s',
    (name) => {
      expect(redact(`${name}=abc`)).toBe(`${name}=abc`)
    },
  )

  it.each([
    ['eyJhbGciOi.abc', 'REDACTED'],
    ['a=1&0123456789abcdef', 'a=1&REDACTED'],
    ['dGhpcyBpcyBhIHNlY3JldA==', 'REDACTED'],
    ['token:abc', 'REDACTED'],
    ['a=1;token=abc', 'a=REDACTED'],
    ['token=abc;def', 'token=REDACTED'],
    ['next=%2Fchat%3Ftoken%3Dabc', 'next=REDACTED'],
    ['next=%252Fchat%253Ftoken%253Dabc', 'next=REDACTED'],
    ['filter={"token":"abc"}', 'filter=REDACTED'],
    ['next=https://joe:abc@example.com/', 'next=REDACTED'],
    ['x=Bearer%20abc', 'x=REDACTED'],
    ['x=sk_live_abcdefgh1', 'x=REDACTED'],
    ['x=V1StGXR8_Z5jdHi6B-myT', 'x=REDACTED'],
    ['x=12:30:00&y=my-room-of-the-year-2026', 'x=12:30:00&y=my-room-of-the-year-2026'],
    ['room=550e8400-e29b-41d4-a716-446655440000', 'room=550e8400-e29b-41d4-a716-446655440000'],
  ])('makes of what has no telling name, %s: %s', (query, expected) => {
    expect(redact(query)).toBe(expected)
  })

  it('records what is allowed, but never the context', () => {
    const { query } = createRedactor(['room'], ['Country-Code', 'traceparent', 'room'])
    expect(query('country_code=de&zip_code=1&traceparent=00&room=1')).toBe(
      'country_code=de&zip_code=REDACTED&traceparent=REDACTED&room=REDACTED',
    )
  })

  it('is cut at 2048 characters', () => {
    expect(redact(`a=${'b '.repeat(5000)}`)).toHaveLength(2048)
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
          expect([`${name}=REDACTED`, 'REDACTED']).toContain(after)
        }
        expect(redact(redact(query))).toBe(redact(query))
      }),
      { numRuns: 500 },
    )
  })

  const secret = fc.stringMatching(/^[a-z]{3,8}S3CRET[a-z]{0,8}$/)
  const secretPart = fc.constantFrom(
    ...'token secret passwd password key session auth sig credential code otp jwt ticket signature'.split(' '),
  )
  const word = fc.constantFrom('x', 'my', 'user', 'app', 'ws', 'v2', 'id', 'reset', 'amz', 'client')
  const separator = fc.constantFrom('', '-', '_', '.', '--', '%2D', '%5F', '+', ':', '~', '$')

  /** A name as the positions of its parts, its separators, the case of its letters and their escapes are drawn. */
  const secretName = fc
    .record({
      before: fc.array(word, { maxLength: 2 }),
      part: secretPart,
      after: fc.array(word, { maxLength: 2 }),
      separator,
    })
    .chain(({ before, part, after, separator: between }) => {
      // Without a separator the next word begins with a capital letter, as in `apiKey`.
      const words = [...before, part, ...after]
      const name = words
        .map((each, index) =>
          between === '' && index > 0 ? each.replace(/^./, (letter) => letter.toUpperCase()) : each,
        )
        .join(between)
      return fc.constantFrom(
        name,
        name.toUpperCase(),
        `user[${name}]`,
        `user.${name}`,
        `${name}[]`,
        name.replace(part.slice(0, 1), `%${part.charCodeAt(0).toString(16)}`),
        encodeURIComponent(encodeURIComponent(name)),
      )
    })

  it('never contains the value of a secret name, wherever it stands', () => {
    fc.assert(
      fc.property(
        fc.array(part),
        secretName,
        secret,
        fc.array(part),
        fc.constantFrom(
          (name: string, value: string) => `${name}=${value}`,
          (name: string, value: string) => `${name}=${value};a=1`,
          (name: string, value: string) => `a=1;${name}=${value}`,
          (name: string, value: string) => `next=${encodeURIComponent(`/x?${name}=${value}`)}`,
          (name: string, value: string) => `next=${encodeURIComponent(encodeURIComponent(`/x?${name}=${value}`))}`,
          (name: string, value: string) => `filter=${encodeURIComponent(`{"${name}": "${value}"}`)}`,
        ),
        (before, name, value, after, write) => {
          expect(redact([...before, write(name, value), ...after].join('&'))).not.toContain('S3CRET')
        },
      ),
      { numRuns: 1000 },
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

describe('a path', () => {
  it.each([
    ['/chat/lobby', '/chat/lobby'],
    ['/', '/'],
    ['/auth/v2/ws', '/auth/v2/ws'],
    ['/session/join', '/session/join'],
    ['/room-of-the-year-2026/x', '/room-of-the-year-2026/x'],
    ['/507f1f77bcf86cd799439011', '/507f1f77bcf86cd799439011'],
    ['/token/s3cret', '/token/REDACTED'],
    ['/ws/eyJhbGciOiJIUzI1NiJ9.e30.x/a', '/ws/REDACTED/a'],
    ['/ws/9f86d081884c7d659a2feaa0c55ad015', '/ws/REDACTED'],
    ['/chat;token=abc/a', '/REDACTED/a'],
    ['/chat/token%3Dabc', '/chat/REDACTED'],
    ['//joe:abc@host/x', '//REDACTED/x'],
  ])('makes of %s: %s', (text, expected) => {
    expect(path(text)).toBe(expected)
  })

  it('is cut at 1024 characters', () => {
    expect(path(`/${'a'.repeat(5000)}`)).toHaveLength(1024)
  })

  it('has no random text, wherever it stands', () => {
    const bytes = fc.uint8Array({ minLength: 24, maxLength: 48 })
    const segments = fc.array(fc.constantFrom('chat', 'v1', 'rooms', '42', ''))
    const writing = fc.constantFrom('base64', 'base64url', 'hex')
    fc.assert(
      fc.property(segments, bytes, writing, segments, (before, random, encoding, after) => {
        const token = Buffer.from(random).toString(encoding as BufferEncoding)
        // What has few different characters is no token.
        fc.pre(new Set(random).size > 16 && /\d/.test(token) && !token.includes('/'))
        expect(path(`/${[...before, token, ...after].join('/')}`)).not.toContain(token)
        expect(subprotocol(token)).toBe('REDACTED')
      }),
    )
  })
})

describe('a subprotocol', () => {
  it.each(['graphql-transport-ws', 'v1.chat', 'access_token', 'ocpp1.6', 'wamp.2.json', 'v4.channel.k8s.io'])(
    'stays if it is a name: %s',
    (name) => {
      expect(subprotocol(name)).toBe(name)
    },
  )

  it.each([
    'eyJhbGciOiJI.a.b',
    'base64url.bearer.authorization.k8s.io.c2VjcmV0dG9rZW4xMjM0',
    'auth-s3cret',
    'token.abc123',
  ])('is hidden if it is a token: %s', (token) => {
    expect(subprotocol(token)).toBe('REDACTED')
    expect(createRedactor([], [token]).subprotocol(token)).toBe(token)
  })
})
