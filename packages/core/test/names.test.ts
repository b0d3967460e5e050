import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BoundedNames, messageName } from '../src/span/names.ts'

/** Any sequence of UTF-16 units, halves of surrogate pairs included. */
const anyText = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 30 })
  .map((units) => String.fromCharCode(...units))

describe('messageName', () => {
  it('puts the name into the span names, else the route, else nothing', () => {
    expect(messageName('chat', '/room')).toEqual({
      name: 'chat',
      key: expect.any(Number),
      original: undefined,
      process: 'process chat',
      send: 'send chat',
      broadcast: 'broadcast chat',
      deliver: 'deliver chat',
    })
    expect(messageName(undefined, '/room')).toMatchObject({
      name: undefined,
      process: 'process /room',
      send: 'send /room',
    })
    expect(messageName(undefined, undefined)).toMatchObject({ process: 'process', broadcast: 'broadcast' })
  })
})

describe('BoundedNames', () => {
  it('gives the same object for the same name', () => {
    const names = new BoundedNames(2, 8)
    expect(names.bound('a')).toBe(names.bound('a'))
    expect(names.bound('a')).toMatchObject({ name: 'a', original: undefined })
    expect(names.label('a')).toBe('a')
  })

  it('takes as many distinct names as allowed, and goes on knowing them', () => {
    const names = new BoundedNames(2, 8)
    expect(['a', 'b', 'c', 'a', 'b', 'd'].map((name) => names.label(name))).toEqual([
      'a',
      'b',
      '_OTHER',
      'a',
      'b',
      '_OTHER',
    ])
    expect(names.bound('c')).toMatchObject({ name: '_OTHER', original: 'c', process: 'process _OTHER' })
  })

  it('does not spend its places on names that it refuses', () => {
    const names = new BoundedNames(1, 8)
    expect(names.label('far too long')).toBe('_OTHER')
    expect(names.label('\n')).toBe('_OTHER')
    expect(names.label('a')).toBe('a')
  })

  it('keeps 128 characters of the original', () => {
    expect(new BoundedNames(1, 8).bound('x'.repeat(500)).original).toBe('x'.repeat(128))
  })

  it.each([
    '',
    ' a',
    'a ',
    'a\nb',
    'a\tb',
    'a\u0000',
    'a\u007f',
    'a\u0085',
    'a\ufffd',
    'a\ud800',
    'a  b',
    'a\u2028b',
    'a\u00a0b',
  ])('refuses %j', (name) => {
    expect(new BoundedNames(9, 64).label(name)).toBe('_OTHER')
  })

  it.each(['a', 'a b', 'chat.message:new', 'größe', '房间', '$x[0]', '__proto__', 'constructor', 'toString'])(
    'takes %j',
    (name) => {
      expect(new BoundedNames(9, 64).label(name)).toBe(name)
    },
  )

  it('never gives more labels than allowed, none of them long, none changed', () => {
    const raw = fc.oneof(anyText, fc.string({ unit: fc.constantFrom('a', 'é', '房', '🙂', ' ', '\n'), maxLength: 20 }))
    fc.assert(
      fc.property(
        fc.array(raw, { maxLength: 60 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        (all, distinct, length) => {
          const names = new BoundedNames(distinct, length)
          const labels = all.map((name) => names.label(name))
          const admitted = new Set(labels.filter((label) => label !== '_OTHER'))
          expect(admitted.size).toBeLessThanOrEqual(distinct)
          expect([...admitted].filter((label) => label.length > length)).toEqual([])
          expect(labels.filter((label, index) => label !== '_OTHER' && label !== all[index])).toEqual([])
        },
      ),
    )
  })
})
