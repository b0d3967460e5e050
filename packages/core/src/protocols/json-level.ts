import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  skipSpace,
  skipValue,
  stringEnd,
} from './json-scan.ts'

/** Stands for a value that may be there, outside of what is read. */
export const NOT_READ: unique symbol = Symbol('not read')

const OPEN = 0
const COMPLETE = 1
/** The text ends within this level. */
const CUT = 2

/** The end of a value is found when the next member is asked for. */
const LATER = -2

/** Members of one level that are remembered; a key that comes later is not found. */
const MAX_MEMBERS = 256

/**
 * One object or array of a JSON text. It remembers where the members are that it has passed, and goes on only when a
 * further one is asked for.
 */
export class JsonLevel {
  text = ''
  start = -1
  #isArray = false
  #isWhole = true
  #cursor = 0
  #state = OPEN
  #count = 0
  readonly #keyStarts: number[] = []
  readonly #keyEnds: number[] = []
  readonly #starts: number[] = []
  /** -1 for a value that the text cuts; {@link LATER} for an object or array that was not passed by. */
  readonly #ends: number[] = []
  #found = -1

  /** Begins to read the object or array at `start`. */
  open(text: string, start: number, isWhole: boolean): void {
    this.text = text
    this.start = start
    this.#isWhole = isWhole
    this.#isArray = text.charCodeAt(start) === OPEN_BRACKET
    this.#cursor = start + 1
    this.#state = OPEN
    this.#count = 0
  }

  /**
   * Where the value of a member begins; `undefined` if the object has none of this name.
   *
   * @param canLookAhead the rest of the text is not that of other records
   */
  memberStart(key: string, canLookAhead: boolean): number | typeof NOT_READ | undefined {
    if (this.#isArray) return undefined
    for (let index = 0; index < this.#count; index++) if (this.#isNamed(index, key)) return this.#at(index)
    // Searching for the key is much faster than passing each value before it.
    if (this.#state === OPEN && canLookAhead && !this.text.includes(key, this.#cursor)) {
      return this.#isWhole ? undefined : NOT_READ
    }
    while (this.#next()) {
      const index = this.#count - 1
      if (this.#isNamed(index, key)) return this.#at(index)
    }
    return this.#state === COMPLETE ? undefined : NOT_READ
  }

  /** Where an element begins; `undefined` if the array has none at this index. */
  valueStart(index: number): number | typeof NOT_READ | undefined {
    if (!this.#isArray) return undefined
    while (this.#count <= index) {
      if (!this.#next()) return this.#state === COMPLETE ? undefined : NOT_READ
    }
    return this.#at(index)
  }

  /** The value that was found last: scalars as they are, of objects and arrays the first character. */
  valueText(): string | typeof NOT_READ {
    const start = this.#starts[this.#found] as number
    const end = this.#ends[this.#found] as number
    const first = this.text.charCodeAt(start)
    if (first === OPEN_BRACE || first === OPEN_BRACKET) return this.text[start] as string
    return end === -1 ? NOT_READ : this.text.slice(start, end)
  }

  #at(index: number): number {
    this.#found = index
    return this.#starts[index] as number
  }

  #isNamed(index: number, key: string): boolean {
    const start = this.#keyStarts[index] as number
    return (this.#keyEnds[index] as number) - start === key.length && this.text.startsWith(key, start)
  }

  /** Passes one more member. Returns false at the end, or where the text is no JSON or cut. */
  #next(): boolean {
    if (this.#state !== OPEN || !this.#passLast()) return false
    const { text } = this
    let at = skipSpace(text, this.#cursor)
    if (this.#count > 0) {
      if (text.charCodeAt(at) !== COMMA) return this.#end(at)
      at = skipSpace(text, at + 1)
    }
    if (this.#count >= MAX_MEMBERS) return this.#end(-1)
    let keyStart = 0
    let keyEnd = 0
    if (!this.#isArray) {
      if (text.charCodeAt(at) !== QUOTE) return this.#end(at)
      keyStart = at + 1
      keyEnd = stringEnd(text, at)
      if (keyEnd === -1) return this.#end(-1)
      at = skipSpace(text, keyEnd + 1)
      if (text.charCodeAt(at) !== COLON) return this.#end(-1)
      at = skipSpace(text, at + 1)
    } else if (text.charCodeAt(at) === CLOSE_BRACKET) return this.#end(at)
    if (at >= text.length) return this.#end(-1)
    const first = text.charCodeAt(at)
    const end = first === OPEN_BRACE || first === OPEN_BRACKET ? LATER : skipValue(text, at)
    this.#keyStarts[this.#count] = keyStart
    this.#keyEnds[this.#count] = keyEnd
    this.#starts[this.#count] = at
    this.#ends[this.#count] = end
    this.#count++
    if (end === -1) this.#state = CUT
    else this.#cursor = end === LATER ? at : end
    return true
  }

  /** Passes by the last value, if it is an object or array. Returns false if the text ends in it. */
  #passLast(): boolean {
    const last = this.#count - 1
    if (last < 0 || this.#ends[last] !== LATER) return true
    const end = skipValue(this.text, this.#starts[last] as number)
    this.#ends[last] = end
    if (end === -1) return this.#end(-1)
    this.#cursor = end
    return true
  }

  #end(at: number): false {
    const code = at === -1 ? Number.NaN : this.text.charCodeAt(at)
    this.#state = code === (this.#isArray ? CLOSE_BRACKET : CLOSE_BRACE) ? COMPLETE : CUT
    return false
  }
}
