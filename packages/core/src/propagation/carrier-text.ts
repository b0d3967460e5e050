import { CARRIER_KEYS, type Carrier, type CarrierKey, isPlain, MAX_CARRIER_LENGTH } from './carrier.ts'

/** Why a text that starts like a carrier is not one. */
export type CarrierProblem = 'malformed' | 'oversized'

/** Result of the extraction from a text that starts like one with a carrier. */
export interface ExtractResult<T> {
  /** The text without the carrier; the whole text if there is no valid one. */
  readonly payload: T
  /** `undefined` if it is not valid. */
  readonly carrier: Carrier | undefined
  readonly problem: CarrierProblem | undefined
}

/** A parsed carrier, or the problem of one that is not valid. */
export interface ParsedCarrier {
  readonly carrier: Carrier | undefined
  readonly problem: CarrierProblem | undefined
  /** Characters up to the first one after the carrier and its comma. */
  readonly length: number
}

/** Characters of a text that are read at most: one more than the longest carrier, for the one that follows it. */
export const MAX_LOOK = MAX_CARRIER_LENGTH + 1

/** The start of a text with a carrier, up to the carrier's first member. */
export function carrierHead(name: string): string {
  return `{"${name}":{`
}

/** The characters that replace the opening brace of a text. */
export function carrierFront(head: string, carrier: Carrier, isEmptyObject: boolean): string {
  let members = ''
  for (const key of CARRIER_KEYS) {
    const value = carrier[key]
    if (value !== undefined) members += `${members === '' ? '' : ','}"${key}":"${value}"`
  }
  return `${head}${members}}${isEmptyObject ? '' : ','}`
}

/**
 * Parses a carrier at the start of a text, from its opening brace on. Only the form that injection writes is valid: its
 * members in their order, without white space or escapes, followed by the next member or the end of the object.
 */
export function parseCarrierText(text: string): ParsedCarrier {
  const carrier: { -readonly [K in CarrierKey]?: string } = {}
  let at = 1
  let separator = ''
  for (const key of CARRIER_KEYS) {
    const start = `${separator}"${key}":"`
    if (!text.startsWith(start, at)) continue
    const from = at + start.length
    const end = text.indexOf('"', from)
    if (end === -1) return refused(text.length > MAX_CARRIER_LENGTH)
    const value = text.slice(from, end)
    if (!isPlain(value)) return refused(false)
    carrier[key] = value
    at = end + 1
    separator = ','
  }
  if (at >= MAX_CARRIER_LENGTH) return refused(true)
  const [, comma] = FOLLOWS.exec(text.slice(at, at + 2)) ?? []
  if (comma === undefined) return refused(false)
  return { carrier, problem: undefined, length: at + 1 + comma.length }
}

/** The characters after a carrier's members: its closing brace, and the next member or the end of the object. */
const FOLLOWS = /^\}(?=[,} \t\n\r])(,?)/

function refused(isOversized: boolean): ParsedCarrier {
  return { carrier: undefined, problem: isOversized ? 'oversized' : 'malformed', length: 0 }
}
