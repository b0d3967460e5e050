import { OptionError } from './option-error.ts'
import { parseSelector, SELECTOR_HEAD_BYTES, SELECTOR_TAIL_BYTES, select } from './selector.ts'

/**
 * A function for a client's option `messageName` that reads names where `path` says, as the servers' option does: a path
 * into the top level of a JSON text (`$.type`, `$[2]`), of which at most the first 512 and the last 256 characters are
 * looked at.
 *
 * @throws OptionError for a path that is none
 */
export function jsonName(path: string): (data: unknown, binary: boolean) => string | undefined {
  const selector = parseSelector(path)
  if (selector === undefined) throw new OptionError('messageName', `cannot be '${path}'`)
  return (data, binary) => {
    if (binary || data === null || data === undefined) return undefined
    const text = typeof data === 'string' ? data : textOf(data)
    const tail = text.length > SELECTOR_HEAD_BYTES ? text.slice(-SELECTOR_TAIL_BYTES) : ''
    return select(selector, text.slice(0, SELECTOR_HEAD_BYTES), tail)
  }
}

/** Text of the bytes that `ws` gives its listeners. */
function textOf(data: unknown): string {
  const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : data
  return bytes instanceof Uint8Array ? new TextDecoder().decode(bytes) : ''
}
