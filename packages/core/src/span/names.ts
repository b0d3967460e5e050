import { OTHER } from '../schema.ts'

const ORIGINAL_LENGTH = 128

/** A message name that has passed the limits, with the span names made from it: built once per name, not per message. */
export interface MessageName {
  /** Value of `websocket.message.name`; `undefined` for messages without a name, whose spans carry the route. */
  readonly name: string | undefined
  /** Number of the name, for tables of names. */
  readonly key: number
  /** Value of `websocket.message.name_original`. */
  readonly original: string | undefined
  readonly process: string
  readonly send: string
  readonly broadcast: string
  readonly deliver: string
}

let keys = 0

/** Builds the span names of DESIGN's `{operation} {subject}` pattern. */
export function messageName(name: string | undefined, route: string | undefined): MessageName {
  const subject = name ?? route
  return {
    name,
    key: ++keys,
    original: undefined,
    process: spanName('process', subject),
    send: spanName('send', subject),
    broadcast: spanName('broadcast', subject),
    deliver: spanName('deliver', subject),
  }
}

/** The name of a span: what it covers, and the message's name or the route, where there is one. */
export function spanName(operation: string, subject: string | undefined): string {
  return subject === undefined ? operation : `${operation} ${subject}`
}

const OTHER_NAME = messageName(OTHER, undefined)

/** The name of a message whose own is not admitted. */
export function otherName(raw: string): MessageName {
  return { ...OTHER_NAME, original: raw.slice(0, ORIGINAL_LENGTH) }
}

/**
 * Keeps values that come from outside few enough for names and metric attributes. A value is let through when it is
 * no longer than `maxLength`, free of control characters and white space other than single blanks, and among the
 * first `maxDistinct` of its kind; else it counts as `_OTHER`.
 */
export class BoundedNames {
  readonly #known = new Map<string, MessageName>()
  readonly #maxDistinct: number
  readonly #maxLength: number

  constructor(maxDistinct: number, maxLength: number) {
    this.#maxDistinct = maxDistinct
    this.#maxLength = maxLength
  }

  /** The bounded form of a raw name. The result is the same object for the same admitted name. */
  bound(raw: string): MessageName {
    const known = this.#known.get(raw)
    if (known !== undefined) return known
    if (this.#known.size >= this.#maxDistinct || !isCleanName(raw, this.#maxLength)) return otherName(raw)
    const admitted = messageName(raw, undefined)
    this.#known.set(raw, admitted)
    return admitted
  }

  /** The value, or `_OTHER`. */
  label(raw: string): string {
    return this.bound(raw).name as string
  }
}

/** Control characters, halves of characters, and any white space but single blanks inside. */
const UNCLEAN = /\p{Cc}|\p{Cs}|\ufffd|[^\S ]|^ | $| {2}/u

/** True for a text that may be a name: not empty, not too long, and without control characters, broken characters and white space at an end. */
export function isCleanName(raw: string, maxLength: number): boolean {
  return raw.length > 0 && raw.length <= maxLength && !UNCLEAN.test(raw)
}
