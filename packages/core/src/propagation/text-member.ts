import type { Carrier } from './carrier.ts'
import { carrierFront, carrierHead, type ExtractResult, MAX_LOOK, parseCarrierText } from './carrier-text.ts'

/** The carrier of JSON texts as {@link JsonMember} puts it in and takes it out, for hosts whose texts are always strings. */
export class TextMember {
  readonly name: string
  readonly #head: string

  /** @param name must need no escapes in JSON */
  constructor(name: string) {
    this.name = name
    this.#head = carrierHead(name)
  }

  /** What goes out for a text: the text with the carrier, or as it is where it can take none or none is needed. */
  inject(text: string, carrier: Carrier | undefined): string {
    if (text[0] !== '{' || (carrier === undefined && !text.startsWith(this.#head))) return text
    return carrierFront(this.#head, carrier ?? {}, EMPTY_OBJECT.test(text)) + text.slice(1)
  }

  /** Takes the carrier out of a text, and returns `undefined` for texts that do not begin like one with a carrier. */
  extract(text: string): ExtractResult<string> | undefined {
    if (!text.startsWith(this.#head)) return undefined
    const from = this.#head.length - 1
    const { carrier, problem, length } = parseCarrierText(text.slice(from, from + MAX_LOOK))
    return { payload: carrier === undefined ? text : `{${text.slice(from + length)}`, carrier, problem }
  }
}

/** A first member of such an object takes no comma. */
const EMPTY_OBJECT = /^\{[ \t\n\r]*\}/
