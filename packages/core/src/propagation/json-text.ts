import { CARRIER_KEYS, type Carrier, type CarrierKey, isPlain, MAX_CARRIER_LENGTH } from './carrier.ts'

/** Why something that begins like a carrier is none. */
export type CarrierProblem = 'malformed' | 'oversized'

/** What stands at the front of a text that begins like one with a carrier. */
export interface Found<T> {
  /** The text without the carrier; where it is none, the text as it came. */
  readonly payload: T
  /** `undefined` when it is none. */
  readonly carrier: Carrier | undefined
  readonly problem: CarrierProblem | undefined
}

const OPENING_BRACE = 0x7b
const CLOSING_BRACE = 0x7d
const COMMA = 0x2c

const encoder = new TextEncoder()
/** Makes one character of each byte; of bytes that are no ASCII, characters that no carrier has. */
const decoder = new TextDecoder('latin1')

/**
 * The carrier as first member of a JSON text whose top level is an object, under one name. It is spliced in and out: all
 * other bytes of the text stay as they are, and what was put in is taken out again exactly, whatever the text is.
 */
export class JsonMember {
  /** The front of every text that has a carrier. Of a text without one nothing else is looked at. */
  readonly #head: string
  readonly #headBytes: Uint8Array
  readonly name: string

  /** @param name must need no escapes in JSON */
  constructor(name: string) {
    this.name = name
    this.#head = `{"${name}":{`
    this.#headBytes = encoder.encode(this.#head)
  }

  /** True when the text can take a carrier: its first character opens an object. */
  admits(text: string | Uint8Array): boolean {
    return codeAt(text, 0) === OPENING_BRACE
  }

  /**
   * True when a receiver might take the text for one with a carrier, so that it needs one, if only an empty one. Of the
   * first fragment of a text only the beginning is there to go by.
   */
  needsCarrier(text: string | Uint8Array, partial: boolean): boolean {
    return partial && text.length < this.#head.length ? this.#begins(text, text.length) : this.#hasHead(text)
  }

  /** What goes out for a text that admits a carrier: the text with it, or `data` as it is where neither is needed. */
  wrap(data: unknown, text: string | Uint8Array, carrier: Carrier | undefined, partial: boolean): unknown {
    if (carrier === undefined && !this.needsCarrier(text, partial)) return data
    return this.insert(text, carrier ?? {})
  }

  /** The text with the carrier in it. Call it for texts that admit one. */
  insert<T extends string | Uint8Array>(text: T, carrier: Carrier): T {
    const front = `${this.#head}${membersText(carrier)}}${isEmptyObject(text) ? '' : ','}`
    if (typeof text === 'string') return (front + text.slice(1)) as T
    const joined = new Uint8Array(front.length + text.length - 1)
    encoder.encodeInto(front, joined)
    joined.set(text.subarray(1), front.length)
    return joined as Uint8Array as T
  }

  /**
   * Takes the carrier out of a text, and returns `undefined` for texts that do not begin like one with a carrier. Bytes
   * are not copied: one of them, which belonged to the carrier, is overwritten.
   */
  remove<T extends string | Uint8Array>(text: T): Found<T> | undefined {
    if (!this.#hasHead(text)) return undefined
    // One character more than a carrier may have, to see what follows it.
    const from = this.#head.length - 1
    const to = from + MAX_CARRIER_LENGTH + 1
    const front = typeof text === 'string' ? text.slice(from, to) : decoder.decode(text.subarray(from, to))
    const carrier: { -readonly [K in CarrierKey]?: string } = {}
    const length = readCarrier(front, carrier)
    if (length === OVERSIZED) return { payload: text, carrier: undefined, problem: 'oversized' }
    const next = front.charCodeAt(length)
    if (length === MALFORMED || !follows(next)) return { payload: text, carrier: undefined, problem: 'malformed' }
    const rest = from + length + (next === COMMA ? 1 : 0)
    if (typeof text === 'string') return { payload: `{${text.slice(rest)}` as T, carrier, problem: undefined }
    text[rest - 1] = OPENING_BRACE
    return { payload: text.subarray(rest - 1) as T, carrier, problem: undefined }
  }

  #hasHead(text: string | Uint8Array): boolean {
    if (typeof text === 'string') return text.startsWith(this.#head)
    return text.length >= this.#headBytes.length && this.#begins(text, this.#headBytes.length)
  }

  #begins(text: string | Uint8Array, length: number): boolean {
    for (let index = 0; index < length; index++) {
      if (codeAt(text, index) !== this.#headBytes[index]) return false
    }
    return true
  }
}

const MALFORMED = -1
const OVERSIZED = -2

/**
 * Reads a carrier from the front of a text into `carrier`. It has the written form only: its members in their order,
 * without white space, escapes or anything else.
 *
 * @returns the carrier's length, `MALFORMED`, or `OVERSIZED` when it goes on at the end of the text
 */
function readCarrier(text: string, carrier: { -readonly [K in CarrierKey]?: string }): number {
  let at = 1
  let separator = ''
  for (const key of CARRIER_KEYS) {
    const start = `${separator}"${key}":"`
    if (!text.startsWith(start, at)) continue
    const from = at + start.length
    const end = text.indexOf('"', from)
    if (end === -1) return text.length > MAX_CARRIER_LENGTH ? OVERSIZED : MALFORMED
    const value = text.slice(from, end)
    if (!isPlain(value)) return MALFORMED
    carrier[key] = value
    at = end + 1
    separator = ','
  }
  if (at >= MAX_CARRIER_LENGTH) return OVERSIZED
  return text.charCodeAt(at) === CLOSING_BRACE ? at + 1 : MALFORMED
}

function membersText(carrier: Carrier): string {
  let text = ''
  for (const key of CARRIER_KEYS) {
    const value = carrier[key]
    if (value === undefined) continue
    text += text === '' ? `"${key}":"${value}"` : `,"${key}":"${value}"`
  }
  return text
}

/** What comes after a carrier: another member, or the end of the object. */
function follows(code: number): boolean {
  return code === COMMA || code === CLOSING_BRACE || isSpace(code)
}

/** True when the object that the text opens has no members, so that a first one takes no comma. */
function isEmptyObject(text: string | Uint8Array): boolean {
  let at = 1
  while (isSpace(codeAt(text, at))) at++
  return codeAt(text, at) === CLOSING_BRACE
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09
}

/** `NaN` beyond the end. */
function codeAt(text: string | Uint8Array, index: number): number {
  return typeof text === 'string' ? text.charCodeAt(index) : (text[index] ?? Number.NaN)
}
