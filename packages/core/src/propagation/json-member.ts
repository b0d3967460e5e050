import type { Carrier } from './carrier.ts'
import { carrierFront, carrierHead, type ExtractResult, MAX_LOOK, parseCarrierText } from './carrier-text.ts'

export type { CarrierProblem, ExtractResult } from './carrier-text.ts'

const OPENING_BRACE = 0x7b
const CLOSING_BRACE = 0x7d

const encoder = /* @__PURE__ */ new TextEncoder()
/** One character per byte; bytes outside of ASCII become characters that no carrier contains. */
const decoder = /* @__PURE__ */ new TextDecoder('latin1')

/**
 * The carrier as first member of a JSON text whose top level is an object. It is inserted and removed as bytes: the rest of
 * the text does not change, and extraction restores exactly the text before injection.
 */
export class JsonMember {
  /** The start of every text with a carrier. Of other texts, nothing more is read. */
  readonly #head: string
  readonly #headBytes: Uint8Array
  readonly name: string

  /** @param name must need no escapes in JSON */
  constructor(name: string) {
    this.name = name
    this.#head = carrierHead(name)
    this.#headBytes = encoder.encode(this.#head)
  }

  /** True if a carrier can be injected into the text: its first character opens an object. */
  canCarry(text: string | Uint8Array): boolean {
    return codeAt(text, 0) === OPENING_BRACE
  }

  /**
   * True if a receiver could mistake the text for one with a carrier, so that at least an empty one must be injected. Of a
   * first fragment only the start is known.
   */
  mustEscape(text: string | Uint8Array, partial: boolean): boolean {
    return partial && text.length < this.#head.length ? this.#begins(text, text.length) : this.#hasHead(text)
  }

  /** The payload to send for a text that can carry: with the carrier, or `data` itself if none is needed. */
  inject(data: unknown, text: string | Uint8Array, carrier: Carrier | undefined, partial: boolean): unknown {
    if (carrier === undefined && !this.mustEscape(text, partial)) return data
    return this.insert(text, carrier ?? {})
  }

  /** The text with the carrier. For texts that can carry. */
  insert<T extends string | Uint8Array>(text: T, carrier: Carrier): T {
    const front = carrierFront(this.#head, carrier, isEmptyObject(text))
    if (typeof text === 'string') return (front + text.slice(1)) as T
    const joined = new Uint8Array(front.length + text.length - 1)
    encoder.encodeInto(front, joined)
    joined.set(text.subarray(1), front.length)
    return joined as Uint8Array as T
  }

  /**
   * Removes the carrier from a text; `undefined` for texts that do not start like one with a carrier. Bytes are not copied:
   * one byte of the carrier is overwritten.
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

/** True if the object of the text has no members, so that the carrier is not followed by a comma. */
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
