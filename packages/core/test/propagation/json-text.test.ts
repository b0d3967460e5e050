import { jsonTextVectors } from '@otel-ws/testkit'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Carrier } from '../../src/propagation/carrier.ts'
import { CARRIER_KEYS, MAX_CARRIER_LENGTH } from '../../src/propagation/carrier.ts'
import { JsonMember } from '../../src/propagation/json-member.ts'

const member = new JsonMember('_otel')
const FRONT = '{"_otel":{'

/** A text as string and as bytes: both must be dealt with alike. */
const forms = {
  'a string': { encode: (text: string): string | Uint8Array => text, decode: (payload: unknown) => payload as string },
  bytes: {
    encode: (text: string): string | Uint8Array => new Uint8Array(Buffer.from(text)),
    decode: (payload: unknown) => Buffer.from(payload as Uint8Array).toString(),
  },
}

/** Any sequence of UTF-16 units that makes valid UTF-8. */
const anyText = fc.string({ unit: 'binary', maxLength: 60 })

/** Texts that make a splicer stumble, also such that are no JSON at all. */
const text = fc.oneof(
  { weight: 4, arbitrary: fc.json({ maxDepth: 3 }) },
  { weight: 2, arbitrary: fc.json({ maxDepth: 2 }).map((json) => JSON.stringify(JSON.parse(json), undefined, 2)) },
  { weight: 2, arbitrary: anyText },
  {
    weight: 4,
    arbitrary: fc
      .array(
        fc.constantFrom('{', '}', '"', '_otel', ':', ',', ' ', '\n', '\t', '"traceparent":"', FRONT, '}', '\u{1f642}'),
        { maxLength: 12 },
      )
      .map((parts) => parts.join('')),
  },
)

const value = fc.oneof(
  fc.string({ unit: fc.constantFrom(..." !#$%&'()*+,-./0123456789:;<=>?@AZ[]^_`az{|}~"), maxLength: 40 }),
  fc.string({ unit: fc.constantFrom(...'{}[],:'), maxLength: 40 }),
)
const carrier: fc.Arbitrary<Carrier> = fc.record(
  { traceparent: value, tracestate: value, baggage: value },
  { requiredKeys: [] },
)

describe.each(Object.entries(forms))('a carrier in %s', (_, { encode, decode }) => {
  it.each(jsonTextVectors.splice)('goes into and out of $name', ({ member: name, text, carrier, wire }) => {
    const own = new JsonMember(name)
    const payload = encode(text)
    expect(own.canCarry(payload)).toBe(true)
    expect(decode(own.insert(payload, carrier))).toBe(wire)
    const found = own.extract(encode(wire))
    expect(found?.problem).toBeUndefined()
    expect(found?.carrier).toEqual(carrier)
    expect(decode(found?.payload)).toBe(text)
  })

  it.each(jsonTextVectors.untouched)('does not go into $name', ({ text }) => {
    expect(member.canCarry(encode(text))).toBe(false)
  })

  it.each(jsonTextVectors.ordinary)('is not looked for in $name', ({ text }) => {
    expect(member.extract(encode(text))).toBeUndefined()
  })

  it.each(jsonTextVectors.refused)('is not taken from $name', ({ text, problem }) => {
    const payload = encode(text)
    expect(member.extract(payload)).toEqual({ payload, carrier: undefined, problem })
    expect(decode(payload)).toBe(text)
  })

  it('comes out of any text that it went into, byte for byte', () => {
    fc.assert(
      fc.property(text, carrier, (before, context) => {
        const payload = encode(before)
        if (!member.canCarry(payload)) {
          expect(member.extract(payload)).toBeUndefined()
          return
        }
        const wire = member.insert(payload, context)
        expect(decode(payload)).toBe(before)
        const found = member.extract(wire)
        expect(found?.carrier).toEqual(Object.fromEntries(CARRIER_KEYS.flatMap((key) => entry(context, key))))
        expect(decode(found?.payload)).toBe(before)
      }),
      { numRuns: 500 },
    )
  })

  it('leaves an object what it was to a parser that knows no carriers', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 })), carrier, (object, context) => {
        fc.pre(!Object.hasOwn(object, '_otel') && !Object.hasOwn(object, '__proto__'))
        const { _otel, ...rest } = JSON.parse(decode(member.insert(encode(JSON.stringify(object)), context)))
        expect(_otel).toEqual(JSON.parse(JSON.stringify(context)))
        expect(rest).toEqual(JSON.parse(JSON.stringify(object)))
      }),
    )
  })

  it('is never thrown at, and what is none is left as it is', () => {
    const rest = fc.oneof(anyText, fc.constantFrom('}', '},', '}}', '"traceparent":"', '"baggage":""},"a":1}'))
    fc.assert(
      fc.property(fc.array(rest, { maxLength: 4 }), (parts) => {
        const wire = FRONT + parts.join('')
        const found = member.extract(encode(wire))
        expect(found).toBeDefined()
        if (found?.carrier === undefined) expect(decode(found?.payload)).toBe(wire)
        else expect(decode(found.payload)[0]).toBe('{')
      }),
      { numRuns: 500 },
    )
  })

  it('is put in front of every text that a receiver might take for one with a carrier', () => {
    fc.assert(
      fc.property(text, (before) => {
        const payload = encode(before)
        if (member.extract(payload) !== undefined) expect(member.mustEscape(encode(before), false)).toBe(true)
      }),
      { numRuns: 500 },
    )
    for (let length = 1; length <= FRONT.length; length++) {
      expect(member.mustEscape(encode(FRONT.slice(0, length)), true)).toBe(true)
      expect(member.mustEscape(encode(FRONT.slice(0, length)), false)).toBe(length === FRONT.length)
      expect(member.mustEscape(encode(`${FRONT.slice(0, length - 1)}!`), true)).toBe(false)
    }
  })

  it('is found whole up to the limit and not one character beyond', () => {
    const frame = '{"baggage":""}'
    const fits = 'x'.repeat(MAX_CARRIER_LENGTH - frame.length)
    const wire = (baggage: string) => encode(`{"_otel":{"baggage":"${baggage}"},"a":1}`)
    expect(member.extract(wire(fits))?.carrier).toEqual({ baggage: fits })
    expect(member.extract(wire(`${fits}x`))?.problem).toBe('oversized')
    for (let more = 2; more < 20; more++) {
      expect(member.extract(wire(`${fits}${'x'.repeat(more)}`))?.problem).toBe('oversized')
    }
  })
})

function entry(carrier: Carrier, key: keyof Carrier): [string, string][] {
  const found = carrier[key]
  return found === undefined ? [] : [[key, found]]
}

describe('bytes', () => {
  it('are handed on without a copy', () => {
    const wire = Buffer.from('{"_otel":{},"a":1}')
    const payload = member.extract(wire)?.payload
    expect(Buffer.isBuffer(payload)).toBe(true)
    expect(payload?.buffer).toBe(wire.buffer)
  })

  it('that are no UTF-8 go through as they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), carrier, (rest, context) => {
        const before = new Uint8Array([0x7b, ...rest])
        expect(member.extract(member.insert(before, context))?.payload).toEqual(before)
      }),
    )
  })
})

describe('the work', () => {
  /** Characters that were looked at one by one, by a text that counts. */
  function looked(text: string): number {
    let count = 0
    const bytes = Buffer.from(text)
    const counting = new Proxy(bytes, {
      get(target, key) {
        if (typeof key === 'string' && /^\d+$/.test(key)) count++
        const found: unknown = Reflect.get(target, key, target)
        return typeof found === 'function' ? found.bind(target) : found
      },
    })
    member.extract(counting as unknown as Uint8Array)
    return count
  }

  it('is one comparison for a text without a carrier, however long it is', () => {
    expect(looked(`{"type":"chat","text":"${'x'.repeat(100_000)}"}`)).toBeLessThanOrEqual(3)
    expect(looked('hello')).toBeLessThanOrEqual(1)
  })

  it('does not grow with what comes after the limit', () => {
    const hostile = (length: number) => `${FRONT}"baggage":"${'x'.repeat(length)}`
    expect(looked(hostile(1_000_000))).toBe(looked(hostile(10_000)))
  })
})
