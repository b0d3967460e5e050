import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  parseSelector,
  SELECTOR_HEAD_BYTES,
  SELECTOR_TAIL_BYTES,
  type Selector,
  select,
} from '../src/options/selector.ts'

/** Any sequence of UTF-16 units, halves of surrogate pairs included. */
const anyText = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 30 })
  .map((units) => String.fromCharCode(...units))

/** Reads a message as telemetry does: its first and last bytes, as text. */
function selectFrom(selector: Selector, message: string): string | undefined {
  const bytes = Buffer.from(message)
  const head = bytes.toString('utf8', 0, SELECTOR_HEAD_BYTES)
  const tail = bytes.length > SELECTOR_HEAD_BYTES ? bytes.toString('utf8', bytes.length - SELECTOR_TAIL_BYTES) : ''
  return select(selector, head, tail)
}

const TYPE: Selector = { key: 'type' }

/** Texts that make a reader of JSON stumble: quotes, escapes, brackets, other members, characters of several bytes. */
const text = fc.oneof(
  { weight: 3, arbitrary: anyText },
  {
    weight: 3,
    arbitrary: fc.string({ unit: fc.constantFrom('"', '\\', '{', '}', '[', ']', ':', ',', 'é', '🙂', '\n') }),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom('type', '"type":"x"', '\\"type\\":\\"x\\",', '{"type":"x"}', 'x"type', '\\'),
  },
  { weight: 1, arbitrary: fc.string({ minLength: 200, maxLength: 700 }) },
)
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    text,
    fc.double({ noNaN: true }),
    fc.boolean(),
    fc.constant(null),
    tie('array'),
    tie('object'),
  ),
  array: fc.array(tie('value'), { maxLength: 4 }),
  object: fc.dictionary(fc.oneof(text, fc.constantFrom('type', 'id')), tie('value'), { maxKeys: 4 }),
}))
const space = fc.constantFrom(undefined, 1, '\t', '\n ')

/** What `JSON.parse` finds, in the form that `select` gives it. */
function same(selected: string, parsed: unknown): boolean {
  return typeof parsed === 'string' ? selected === parsed : typeof parsed === 'number' && Number(selected) === parsed
}

describe('parseSelector', () => {
  it.each([
    ['$.type', 'type'],
    ['$.$a-b_1', '$a-b_1'],
    ['$["any name"]', 'any name'],
    ['$["0"]', '0'],
    ['$[0]', 0],
    ['$[999]', 999],
  ])('reads %s', (path, key) => {
    expect(parseSelector(path)).toEqual({ key })
  })

  it.each([
    '',
    '$',
    'type',
    '$.',
    '$.a.b',
    '$.a[0]',
    '$..a',
    '$[-1]',
    '$[1000]',
    '$[""]',
    '$["a\\"b"]',
    "$['a']",
    '$.1a',
    ' $.a',
  ])('refuses %j', (path) => {
    expect(parseSelector(path)).toBeUndefined()
  })
})

describe('select', () => {
  it.each([
    ['{"type":"chat"}', 'chat'],
    [' \n{ "a" : [1,{"type":"x"}] , "type"\t:\r"chat" }', 'chat'],
    ['{"type":42}', '42'],
    ['{"type":-1.5e3}', '-1.5e3'],
    ['{"type":""}', ''],
    ['{"type":"a\\n\\u00e9\\ud83d\\ude42\\"\\\\"}', 'a\né🙂"\\'],
    ['{"a":"\\\\","type":"chat"}', 'chat'],
    ['{"a":"\\\\\\"","type":"chat"}', 'chat'],
    ['{"a":{"type":"inner"},"type":"outer"}', 'outer'],
    ['{"a":[{"type":"inner"}]}', undefined],
    ['{"a":"\\"type\\":\\"x\\""}', undefined],
    ['{"type":true}', undefined],
    ['{"type":null}', undefined],
    ['{"type":{"type":"x"}}', undefined],
    ['{"type":["x"]}', undefined],
    ['{"Type":"x"}', undefined],
    ['{}', undefined],
    ['["type","x"]', undefined],
    ['"type"', undefined],
    ['{"type":"\\x"}', undefined],
    ['{"type":"chat"', 'chat'],
    ['{"type":"cha', undefined],
    ['{"type":12', undefined],
    ['{"type"', undefined],
    ['', undefined],
  ])('finds in %s: %j', (message, expected) => {
    expect(selectFrom(TYPE, message)).toBe(expected)
  })

  it('takes the first of several members of one name, which JSON.parse overwrites with the last', () => {
    expect(selectFrom(TYPE, '{"type":"first","type":"last"}')).toBe('first')
  })

  it('takes no member whose name is written with escapes', () => {
    expect(selectFrom(TYPE, '{"t\\u0079pe":"escaped"}')).toBeUndefined()
  })

  it('reads the end of a message whose start does not have the member', () => {
    const filler = 'é'.repeat(1000)
    expect(selectFrom(TYPE, JSON.stringify({ filler, type: 'chat' }))).toBe('chat')
    expect(selectFrom(TYPE, JSON.stringify({ filler, type: 'chat', n: { type: 'no', a: ['}', '"'] } }, null, 2))).toBe(
      'chat',
    )
    expect(selectFrom(TYPE, JSON.stringify({ a: filler, type: 'chat', b: filler }))).toBeUndefined()
  })

  it('takes no part of a name for the name, wherever the message is cut', () => {
    for (let length = 150; length < 300; length++) {
      const message = JSON.stringify({ filler: 'x'.repeat(600), 'a"type': 'wrong', rest: 'y'.repeat(length) })
      expect([length, selectFrom(TYPE, message)]).toEqual([length, undefined])
    }
  })

  it('reads elements of an array from its start', () => {
    expect(selectFrom({ key: 0 }, '["chat",1]')).toBe('chat')
    expect(selectFrom({ key: 2 }, ' [ [1,"]"], {"a":"}"} , "chat" ] ')).toBe('chat')
    expect(selectFrom({ key: 2 }, '[1,2]')).toBeUndefined()
    expect(selectFrom({ key: 0 }, '[]')).toBeUndefined()
    expect(selectFrom({ key: 0 }, '{"0":"chat"}')).toBeUndefined()
    expect(selectFrom({ key: 1 }, JSON.stringify(['x'.repeat(600), 'chat']))).toBeUndefined()
  })

  it('gives what JSON.parse gives, or nothing, for any object and any position of the member', () => {
    const objects = fc.tuple(fc.array(fc.tuple(text, value), { maxLength: 4 }), value, fc.nat(4), space)
    fc.assert(
      fc.property(objects, ([others, own, position, indent]) => {
        const entries = others.filter(([name]) => name !== 'type')
        entries.splice(position, 0, ['type', own])
        const message = JSON.stringify(Object.fromEntries(entries), null, indent)
        const parsed = (JSON.parse(message) as { type?: unknown }).type
        const selected = selectFrom(TYPE, message)
        if (selected !== undefined) expect(same(selected, parsed)).toBe(true)
        // A message that is read whole gives every scalar away.
        else if (Buffer.byteLength(message) <= SELECTOR_HEAD_BYTES)
          expect(['string', 'number']).not.toContain(typeof parsed)
      }),
      { numRuns: 1000 },
    )
  })

  it('finds nothing in objects that have it only further in', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(text, value), { maxLength: 5 }), space, (entries, indent) => {
        const object = Object.fromEntries(entries.filter(([name]) => name !== 'type'))
        expect(selectFrom(TYPE, JSON.stringify({ ...object, inner: { type: 'x' } }, null, indent))).toBeUndefined()
      }),
      { numRuns: 1000 },
    )
  })

  it('gives what JSON.parse gives, or nothing, for any array and index', () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 6 }), fc.nat(6), space, (array, key, indent) => {
        const message = JSON.stringify(array, null, indent)
        const selected = selectFrom({ key }, message)
        if (selected !== undefined) expect(same(selected, (JSON.parse(message) as unknown[])[key])).toBe(true)
      }),
      { numRuns: 1000 },
    )
  })

  const hostile = fc.string({
    unit: fc.constantFrom('"', '\\', '{', '}', '[', ']', ':', ',', ' ', 't', 'type', '1', '�'),
  })

  it('throws at no text, as the start or the end of a message', () => {
    fc.assert(
      fc.property(hostile, hostile, fc.nat(3), (head, tail, index) => {
        select(TYPE, head, tail)
        select(TYPE, `{${head}`, `${tail}}`)
        select({ key: index }, `[${head}`, tail)
      }),
      { numRuns: 1000 },
    )
  })

  it('looks at each character a few times at most, whatever the text', () => {
    fc.assert(
      fc.property(hostile, hostile, fc.integer({ min: 1, max: 200 }), (head, tail, times) => {
        const texts = [new CountingText(`{${head.repeat(times)}`), new CountingText(`${tail.repeat(times)}}`)] as const
        select(TYPE, texts[0] as unknown as string, texts[1] as unknown as string)
        for (const counted of texts) expect(counted.looks).toBeLessThanOrEqual(6 * counted.length + 16)
      }),
      { numRuns: 1000 },
    )
  })
})

/** A text that counts how often a character of it is looked at. */
class CountingText {
  looks = 0
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  get length(): number {
    return this.#text.length
  }

  charCodeAt(index: number): number {
    this.looks++
    return this.#text.charCodeAt(index)
  }

  startsWith(part: string, at: number): boolean {
    this.looks += part.length
    return this.#text.startsWith(part, at)
  }

  slice(start: number, end: number): string {
    this.looks += end - start
    return this.#text.slice(start, end)
  }
}
