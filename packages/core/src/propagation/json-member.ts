import type { Carrier } from './carrier.ts'
import { carrierFront, carrierHead, type ExtractResult, MAX_LOOK, parseCarrierText } from './carrier-text.ts'

export type { CarrierProblem, ExtractResult } from './carrier-text.ts'

const OPENING_BRACE = 0x7b
const CLOSING_BRACE = 0x7d

const encoder = /* @__PURE__ */ new TextEncoder()
/** Makes one character of each byte; of bytes that are no ASCII, characters that no carrier has. */
const decoder = /* @__PURE__ */ new TextDecoder('latin1')

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
    this.#head = carrierHead(name)
    this.#headBytes = encoder.encode(this.#head)
  }

  /** True when the text can take a carrier: its first character opens an object. */
  canCarry(text: string | Uint8Array): boolean {
    return codeAt(text, 0) === OPENING_BRACE
  }

  /**
   * True when a receiver might take the text for one with a carrier, so that it needs one, if only an empty one. Of the
   * first fragment of a text only the beginning is there to go by.
   */
  mustEscape(text: string | Uint8Array, partial: boolean): boolean {
    return partial && text.length < this.#head.length ? this.#begins(text, text.length) : this.#hasHead(text)
  }

  /** What goes out for a text that admits a carrier: the text with it, or `data` as it is where neither is needed. */
  inject(data: unknown, text: string | Uint8Array, carrier: Carrier | undefined, partial: boolean): unknown {
    if (carrier === undefined && !this.mustEscape(text, partial)) return data
    return this.insert(text, carrier ?? {})
  }

  /** The text with the carrier in it. Call it for texts that admit one. */
  insert<T extends string | Uint8Array>(text: T, carrier: Carrier): T {
    const front = carrierFront(this.#head, carrier, isEmptyObject(text))
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
  extract<T extends string | Uint8Array>(text: T): ExtractResult<T> | undefined {
    if (!this.#hasHead(text)) return undefined
    const from = this.#head.length - 1
    const to = from + MAX_LOOK
    const front = typeof text === 'string' ? text.slice(from, to) : decoder.decode(text.subarray(from, to))
    const { carrier, problem, length } = parseCarrierText(front)
    if (carrier === undefined) return { payload: text, carrier, problem }
    const rest = from + length
    if (typeof text === 'string') return { payload: `{${text.slice(rest)}` as T, carrier, problem }
    text[rest - 1] = OPENING_BRACE
    return { payload: text.subarray(rest - 1) as T, carrier, problem }
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
