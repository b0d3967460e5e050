import type { Carrier } from './carrier.ts'
import { carrierFront, carrierHead, type ExtractResult, MAX_LOOK, parseCarrierText } from './carrier-text.ts'

/** {@link JsonMember} for hosts whose texts are always strings: a page does not need the code for bytes. */
export class TextMember {
  readonly name: string
  readonly #head: string

  /** @param name must need no escapes in JSON */
  constructor(name: string) {
    this.name = name
    this.#head = carrierHead(name)
  }

  /** The text with the carrier; the text itself if it cannot carry or no carrier is needed. */
  inject(text: string, carrier: Carrier | undefined): string {
    if (text[0] !== '{' || (carrier === undefined && !text.startsWith(this.#head))) return text
    return carrierFront(this.#head, carrier ?? {}, EMPTY_OBJECT.test(text)) + text.slice(1)
  }

  /** Removes the carrier from a text; `undefined` for texts that do not start like one with a carrier. */
  extract(text: string): ExtractResult<string> | undefined {
    if (!text.startsWith(this.#head)) return undefined
    const from = this.#head.length - 1
    const { carrier, problem, length } = parseCarrierText(text.slice(from, from + MAX_LOOK))
    return { payload: carrier === undefined ? text : `{${text.slice(from + length)}`, carrier, problem }
  }
}

/** In such an object the carrier is not followed by a comma. */
const EMPTY_OBJECT = /^\{[ \t\n\r]*\}/
