import { JsonLevel, NOT_READ } from './json-level.ts'
import { memberFromEnd, OPEN_BRACE, OPEN_BRACKET, QUOTE, skipSpace } from './json-scan.ts'
import type { ProtocolMessage } from './protocol.ts'

/** Bytes that are read of a message: from its start, and from its end. */
export const READ_HEAD_BYTES = 16 * 1024
export const READ_TAIL_BYTES = 1024

/** Records that are read of one message. */
export const MAX_RECORDS = 100

/** Most bytes of an id that is followed. */
const MAX_ID_LENGTH = 256

/** Paths by their text: protocols read the same few for every message. */
const paths = new Map<string, readonly (string | number)[]>()

/**
 * The steps of a path such as `params.path`, `$.type`, `[2]`, `payload[0].code` or `_meta["any name"]`.
 *
 * @throws TypeError for a text that is no path
 */
export function parsePath(path: string): readonly (string | number)[] {
  const known = paths.get(path)
  if (known !== undefined) return known
  const steps: (string | number)[] = []
  const text = path.startsWith('$') ? path.slice(1) : path.startsWith('[') ? path : `.${path}`
  let at = 0
  for (const match of text.matchAll(/\.([^.[\]"\s]+)|\[(\d{1,3})\]|\["([^"\\]+)"\]/g)) {
    if (match.index !== at) break
    at += match[0].length
    steps.push(match[1] ?? match[3] ?? Number(match[2]))
  }
  if (steps.length === 0 || at !== text.length) throw new TypeError(`'${path}' is no path`)
  if (paths.size < 1000) paths.set(path, steps)
  return steps
}

/**
 * Reads values at paths of JSON texts, without parsing: it makes no objects of what it reads, throws for nothing, and
 * looks at most at {@link READ_HEAD_BYTES} and {@link READ_TAIL_BYTES}. One reader is used for all messages.
 */
export class MessageReader implements ProtocolMessage {
  #head = ''
  #tail = ''
  #isWhole = true
  #levels: JsonLevel[] = []
  #used = 0
  #base: JsonLevel | undefined
  /** The record is one of several, so that the rest of the text is not its own. */
  #isRecord = false

  get head(): string {
    return this.#head
  }

  get isWhole(): boolean {
    return this.#isWhole
  }

  /**
   * Reads a message from now on.
   *
   * @param tail the end of a message of which `head` is not the whole
   */
  load(head: string, tail: string, isWhole: boolean): void {
    this.#head = head
    this.#tail = tail
    this.#isWhole = isWhole
    this.#used = 0
    this.#isRecord = false
    this.#base = this.#levelAt(skipSpace(head, 0))
  }

  /** True if the text is an array of objects: a batch. */
  get isBatch(): boolean {
    const at = skipSpace(this.#head, 0)
    return (
      this.#head.charCodeAt(at) === OPEN_BRACKET && this.#head.charCodeAt(skipSpace(this.#head, at + 1)) === OPEN_BRACE
    )
  }

  /** Reads an element of a batch from now on; false if there is none, or it is not read. */
  enterElement(index: number): boolean {
    if (index === 0) {
      this.#used = 0
      this.#base = this.#levelAt(skipSpace(this.#head, 0))
    }
    const batch = this.#levels[0]
    const start = batch?.valueStart(index)
    if (start === undefined || start === NOT_READ) return false
    this.#isRecord = true
    // The levels of the element before are used again.
    this.#used = 1
    this.#base = this.#levelAt(start)
    return true
  }

  /** Reads the first element of a batch, or the message itself, from now on. */
  enterFirstRecord(): void {
    if (this.isBatch) this.enterElement(0)
  }

  /** Reads a record that begins at a position from now on; false if there is none. */
  enterRecord(at: number): boolean {
    this.#isRecord = at > 0
    this.#used = 0
    const start = skipSpace(this.#head, at)
    this.#base = this.#levelAt(start)
    return start < this.#head.length
  }

  text(path: string, length?: number): string | undefined {
    const raw = this.raw(path)
    if (raw === undefined) return undefined
    if (raw.charCodeAt(0) === QUOTE) {
      return unescaped(length === undefined || raw.length <= length ? raw.slice(1, -1) : raw.slice(1, length))
    }
    const first = raw.charCodeAt(0)
    return first === 45 || (first >= 48 && first <= 57) ? raw : undefined
  }

  id(path: string): string | undefined {
    const raw = this.raw(path)
    if (raw === undefined || raw.length > MAX_ID_LENGTH) return undefined
    const first = raw.charCodeAt(0)
    if (first === QUOTE) return `"${unescaped(raw.slice(1, -1))}`
    return first === 45 || (first >= 48 && first <= 57) ? raw : undefined
  }

  has(path: string): boolean | undefined {
    const raw = this.#find(path)
    if (raw === NOT_READ) return undefined
    return raw !== undefined && raw !== 'null' && raw !== 'false'
  }

  /** The JSON text of a scalar, the first character of an object or array; `undefined` if there is none. */
  raw(path: string): string | undefined {
    const raw = this.#find(path)
    return raw === NOT_READ ? undefined : (raw as string | undefined)
  }

  #find(path: string): string | typeof NOT_READ | undefined {
    const steps = parsePath(path)
    let level = this.#base
    const last = steps.length - 1
    for (let index = 0; index <= last; index++) {
      if (level === undefined) return undefined
      const step = steps[index] as string | number
      const start = typeof step === 'number' ? level.valueStart(step) : level.memberStart(step, !this.#isRecord)
      if (start === undefined) return undefined
      if (start === NOT_READ) {
        const isInTail = index === 0 && last === 0 && typeof step === 'string' && !this.#isRecord
        return isInTail ? this.#findInTail(step) : NOT_READ
      }
      if (index === last) return level.valueText()
      level = this.#levelAt(start)
    }
    return undefined
  }

  #findInTail(key: string): string | typeof NOT_READ {
    return (this.#tail === '' ? undefined : memberFromEnd(this.#tail, key, rawText)) ?? NOT_READ
  }

  /** The level of the object or array that begins at a position; `undefined` for other values. */
  #levelAt(start: number): JsonLevel | undefined {
    const first = this.#head.charCodeAt(start)
    if (first !== OPEN_BRACE && first !== OPEN_BRACKET) return undefined
    for (let index = 0; index < this.#used; index++) {
      const level = this.#levels[index] as JsonLevel
      if (level.start === start) return level
    }
    let level = this.#levels[this.#used]
    if (level === undefined) {
      level = new JsonLevel()
      this.#levels.push(level)
    }
    // A protocol reads a few levels; the array does not grow with the message.
    if (this.#used < 15) this.#used++
    level.open(this.#head, start, this.#isWhole)
    return level
  }
}

/** Scalars as they are; of objects and arrays the first character. */
function rawText(text: string, start: number, end: number): string {
  const first = text.charCodeAt(start)
  return first === OPEN_BRACE || first === OPEN_BRACKET ? (text[start] as string) : text.slice(start, end)
}

const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }

/** The text of a JSON string from the characters between its quotes. */
function unescaped(raw: string): string {
  if (!raw.includes('\\')) return raw
  return raw.replace(/\\(?:u([0-9a-fA-F]{4})|([\s\S]))/g, (_, hex: string | undefined, letter: string) =>
    hex === undefined ? (ESCAPES[letter] ?? letter) : String.fromCharCode(Number.parseInt(hex, 16)),
  )
}
