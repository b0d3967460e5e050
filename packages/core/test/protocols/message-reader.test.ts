import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  MAX_RECORDS,
  MessageReader,
  parsePath,
  READ_HEAD_BYTES,
  READ_TAIL_BYTES,
} from '../../src/protocols/message-reader.ts'

const reader = new MessageReader()

/** Reads a text as telemetry does. */
function read(text: string): MessageReader {
  const isWhole = text.length <= READ_HEAD_BYTES
  reader.load(text.slice(0, READ_HEAD_BYTES), isWhole ? '' : text.slice(-READ_TAIL_BYTES), isWhole)
  return reader
}

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('"', '\\', '{', '}', '[', ']', ':', ',', 'é', '🙂', '\n') }),
  fc.constantFrom('error', '"id":1', '\\"id\\":2,', '{"id":"x"}'),
)
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    text,
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    tie('array'),
    tie('object'),
  ),
  array: fc.array(tie('value'), { maxLength: 4 }),
  object: fc.dictionary(fc.oneof(text, fc.constantFrom('id', 'error', 'params', 'path')), tie('value'), { maxKeys: 5 }),
}))

const PATHS = ['id', 'error', 'params', 'params.path', 'params.path.id', 'error[0].id', 'params[1]', '[0]', '[2].id']

/** What is at a path of parsed JSON, of own members only. */
function at(parsed: unknown, path: string): unknown {
  let found = parsed
  for (const step of parsePath(path)) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, step)) return undefined
    if (Array.isArray(found) !== (typeof step === 'number')) return undefined
    found = (found as Record<string | number, unknown>)[step]
  }
  return found
}

describe('parsePath', () => {
  it.each([
    ['type', ['type']],
    ['$.params.path', ['params', 'path']],
    ['[2]', [2]],
    ['$[4].status', [4, 'status']],
    ['a["x.y/z"].b', ['a', 'x.y/z', 'b']],
  ])('reads %s', (path, steps) => {
    expect(parsePath(path)).toEqual(steps)
  })

  it.each(['', '$', '.', 'a..b', 'a b', 'a[', 'a[x]', '$.'])('refuses %j', (path) => {
    expect(() => parsePath(path)).toThrow(TypeError)
  })
})

describe('MessageReader', () => {
  it('finds what JSON.parse finds, whatever the message', () => {
    fc.assert(
      fc.property(value, fc.constantFrom(undefined, 1, '\t'), (content, space) => {
        const message = JSON.stringify(content, undefined, space)
        fc.pre(message !== undefined && message.length <= READ_HEAD_BYTES)
        const parsed: unknown = JSON.parse(message)
        read(message)
        for (const path of PATHS) {
          const found = at(parsed, path)
          expect(reader.has(path)).toBe(found !== undefined && found !== null && found !== false)
          const scalar = typeof found === 'string' || typeof found === 'number' ? found : undefined
          const shown = reader.text(path)
          expect(typeof scalar === 'number' ? Number(shown) : shown).toBe(scalar)
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('throws for no text, and has nothing where a text that is no JSON has nothing', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), text), (message) => {
        read(message)
        for (const path of PATHS) {
          reader.has(path)
          reader.id(path)
          reader.text(path)
        }
        reader.enterElement(0)
        reader.enterRecord(1)
        expect(reader.has('absent')).not.toBe(true)
      }),
      { numRuns: 2000 },
    )
  })

  it('reads a cut text as what it knows of it', () => {
    const message = JSON.stringify({ id: 1, big: 'x'.repeat(40_000), payload: { errors: [1] }, error: { code: 7 } })
    read(message)
    expect(reader.text('id')).toBe('1')
    expect(reader.has('error')).toBe(true)
    expect(reader.has('absent')).toBe(undefined)
    expect(reader.has('payload.errors')).toBe(undefined)
    expect(reader.text('big')).toBe(undefined)
  })

  it('reads the beginning of a value that is cut', () => {
    read(JSON.stringify({ type: 'next', payload: { errors: [{ message: 'x' }], data: 'x'.repeat(40_000) }, id: '9' }))
    expect(reader.has('payload.errors')).toBe(true)
    expect(reader.has('payload.extensions')).toBe(undefined)
    expect(reader.id('id')).toBe('"9')
  })

  it('keeps ids apart by their type, and follows none of more than 256 characters', () => {
    const idOf = (id: unknown) => read(JSON.stringify({ id })).id('id')
    expect([idOf(1), idOf('1'), idOf('\u00e9"')]).toEqual(['1', '"1', '"é"'])
    expect([idOf(true), idOf(null), idOf({}), idOf([1])]).toEqual([undefined, undefined, undefined, undefined])
    expect(idOf('x'.repeat(300))).toBe(undefined)
  })

  it('reads the elements of a batch one by one, at most 100', () => {
    const batch = Array.from({ length: 150 }, (_, id) => ({ id, ...(id === 3 && { error: true }) }))
    read(JSON.stringify(batch))
    expect(reader.isBatch).toBe(true)
    const ids: (string | undefined)[] = []
    const failed: (boolean | undefined)[] = []
    for (let index = 0; index < MAX_RECORDS && reader.enterElement(index); index++) {
      ids.push(reader.id('id'))
      failed.push(reader.has('error'))
    }
    expect(ids).toEqual(Array.from({ length: 100 }, (_, id) => String(id)))
    expect(failed.flatMap((is, index) => (is ? [index] : []))).toEqual([3])
  })
})
