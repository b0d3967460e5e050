import { CARRIER_KEYS, type Carrier, type CarrierKey, isPlain, MAX_CARRIER_LENGTH } from './carrier.ts'

/** Why something that begins like a carrier is none. */
export type CarrierProblem = 'malformed' | 'oversized'

/** What stands at the front of a text that begins like one with a carrier. */
export interface ExtractResult<T> {
  /** The text without the carrier; where it is none, the text as it came. */
  readonly payload: T
  /** `undefined` when it is none. */
  readonly carrier: Carrier | undefined
  readonly problem: CarrierProblem | undefined
}

/** A carrier as it is written, or why what stands in its place is none. */
export interface ParsedCarrier {
  readonly carrier: Carrier | undefined
  readonly problem: CarrierProblem | undefined
  /** Characters to the first one of what follows it, less the comma. */
  readonly length: number
}

/** The most of a text that is looked at: one character more than a carrier may have, to see what follows it. */
export const MAX_LOOK = MAX_CARRIER_LENGTH + 1

/** What a text with a carrier begins with: all of it that stands before the carrier's members. */
export function carrierHead(name: string): string {
  return `{"${name}":{`
}

/** What goes in place of the brace that opens a text. */
export function carrierFront(head: string, carrier: Carrier, isEmptyObject: boolean): string {
  let members = ''
  for (const key of CARRIER_KEYS) {
    const value = carrier[key]
    if (value !== undefined) members += `${members === '' ? '' : ','}"${key}":"${value}"`
  }
  return `${head}${members}}${isEmptyObject ? '' : ','}`
}

/**
 * Reads a carrier from the front of a text that begins with its opening brace. It has the written form only: its members in
 * their order, without white space, escapes or anything else, and the next member or the end of the object behind it.
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

/** What comes after a carrier's members: its brace, and another member or the end of the object. */
const FOLLOWS = /^\}(?=[,} \t\n\r])(,?)/

function refused(isOversized: boolean): ParsedCarrier {
  return { carrier: undefined, problem: isOversized ? 'oversized' : 'malformed', length: 0 }
}
