import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CLOSE_CATEGORIES, closeCodeLabel, resolveClose, truncateUtf8 } from '../src/close/close.ts'

/** Any sequence of UTF-16 units, halves of surrogate pairs included. */
const anyText = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 30 })
  .map((units) => String.fromCharCode(...units))

const CATEGORIES: Record<number, string> = {
  1000: 'normal',
  1001: 'going_away',
  1002: 'protocol_error',
  1003: 'protocol_error',
  1004: 'other',
  1005: 'no_status',
  1006: 'abnormal',
  1007: 'protocol_error',
  1008: 'policy',
  1009: 'too_big',
  1010: 'protocol_error',
  1011: 'server_error',
  1012: 'restart',
  1013: 'restart',
  1014: 'server_error',
  1015: 'other',
}

describe('tellClose', () => {
  it('knows the category of every code', () => {
    const codes = Array.from({ length: 5100 }, (_, code) => code)
    const expected = codes.map((code) => CATEGORIES[code] ?? (code >= 3000 && code <= 4999 ? 'application' : 'other'))
    expect(codes.map((received) => resolveClose({ received }).category)).toEqual(expected)
    // `timeout` is told by the heartbeat, never by a code.
    expect([...new Set([...expected, 'timeout'])].sort()).toEqual([...CLOSE_CATEGORIES].sort())
  })

  it.each([
    [{ sent: 1000, received: 1001 }, 1000, 'local'],
    [{ received: 4001 }, 4001, 'remote'],
    [{ received: 1005 }, 1005, 'remote'],
    [{ sent: 1005, received: 1005 }, 1005, 'local'],
    [{ sent: 1000 }, 1000, 'local'],
    [{ failed: 1009 }, 1009, 'local'],
    [{ failed: 1007, terminated: true }, 1007, 'local'],
    [{ terminated: true }, 1006, 'local'],
    [{ received: 1000, terminated: true }, 1000, 'remote'],
    [{}, 1006, 'network'],
  ])('tells of %j code %i by %s', (facts, code, initiator) => {
    expect(resolveClose(facts)).toEqual({ code, category: CATEGORIES[code] ?? 'application', initiator })
  })

  it('calls a missed heartbeat a timeout of ours', () => {
    expect(resolveClose({ timedOut: true })).toEqual({ code: 1006, category: 'timeout', initiator: 'local' })
    expect(resolveClose({ timedOut: true, terminated: true }).category).toBe('timeout')
  })
})

describe('closeCodeLabel', () => {
  const declared = new Set([3001, 4401])

  it('is exact for the codes of the RFC and for declared ones only', () => {
    const codes = Array.from({ length: 5100 }, (_, code) => code)
    const expected = codes.map((code) => {
      if ((code >= 1000 && code <= 1015) || declared.has(code)) return code
      return code >= 4000 && code <= 4999 ? '4xxx' : code >= 3000 && code <= 3999 ? '3xxx' : 'other'
    })
    expect(codes.map((code) => closeCodeLabel(code, declared))).toEqual(expected)
  })
})

/** True for a text without half of a surrogate pair. */
function isWellFormed(text: string): boolean {
  return Buffer.from(text).toString() === text
}

describe('truncateUtf8', () => {
  it('cuts between characters, as late as it can', () => {
    const texts = fc.oneof(
      anyText,
      fc.string({ unit: fc.constantFrom('a', 'é', '房', '🙂', '\ud83d', '\ude42') }),
      fc.string(),
    )
    fc.assert(
      fc.property(texts, fc.nat(60), (text, bytes) => {
        const cut = truncateUtf8(text, bytes)
        expect(text.startsWith(cut)).toBe(true)
        expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(bytes)
        const [next] = text.slice(cut.length)
        if (next === undefined) return
        expect(Buffer.byteLength(cut + next)).toBeGreaterThan(bytes)
        if (isWellFormed(text)) expect(isWellFormed(cut)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  it('leaves what fits', () => {
    expect(truncateUtf8('é'.repeat(61), 123)).toBe('é'.repeat(61))
    expect(truncateUtf8('é'.repeat(62), 123)).toBe('é'.repeat(61))
    expect(truncateUtf8('🙂', 3)).toBe('')
    expect(truncateUtf8('', 0)).toBe('')
  })
})
