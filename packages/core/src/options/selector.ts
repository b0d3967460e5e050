import { elementFromStart, memberFromEnd, memberFromStart, objectText } from '../protocols/json-scan.ts'

/** How much of a text message a selector may read: from its start, and from its end. */
export const SELECTOR_HEAD_BYTES = 512
export const SELECTOR_TAIL_BYTES = 256

/**
 * A path into the top level of a JSON message: a member of an object (`$.type`) or an element of an array (`$[2]`).
 * It looks at the ends of a message only and never parses one.
 */
export interface Selector {
  /** The member's name, or the element's index. */
  readonly key: string | number
}

const PATH = /^\$(?:\.([A-Za-z_$][\w$-]*)|\["((?:[^"\\])+)"\]|\[(\d{1,3})\])$/

/** Parses `$.name`, `$["any name"]` or `$[index]`; `undefined` when the text is no such path. */
export function parseSelector(path: string): Selector | undefined {
  const match = PATH.exec(path)
  if (match === null) return undefined
  const [, member, quoted, index] = match
  return { key: index !== undefined ? Number(index) : ((member ?? quoted) as string) }
}

/**
 * Reads the selected string or number.
 *
 * @param head the first 512 bytes of the message, as text
 * @param tail the last 256 bytes; empty when `head` is the whole message
 * @returns the value, or `undefined` when it is not there, not a scalar, or outside of what may be read. Of members
 *   with the same name the first that is met counts, where a parser would take the last.
 */
export function select(selector: Selector, head: string, tail: string): string | undefined {
  return typeof selector.key === 'number'
    ? elementFromStart(head, selector.key)
    : (memberFromStart(head, selector.key) ?? (tail === '' ? undefined : memberFromEnd(tail, selector.key)))
}

/**
 * Reads the JSON text of an object that is a member of the message's top level, with the limits of {@link select}.
 *
 * @param head the first bytes of the message, as text
 * @param tail the last bytes; empty when `head` is the whole message
 */
export function selectObject(key: string, head: string, tail: string): string | undefined {
  return memberFromStart(head, key, objectText) ?? (tail === '' ? undefined : memberFromEnd(tail, key, objectText))
}
