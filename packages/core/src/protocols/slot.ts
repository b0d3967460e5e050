import { CARRIER_KEYS, type Carrier, isPlain } from '../propagation/carrier.ts'
import { JsonLevel, NOT_READ } from './json-level.ts'
import { CLOSE_BRACE, OPEN_BRACE, skipSpace, skipValue } from './json-scan.ts'
import { parsePath, READ_HEAD_BYTES } from './message-reader.ts'

/** ASCII characters that are inserted into a text. */
interface Insertion {
  readonly at: number
  readonly text: string
}

/** One character per byte, so that positions are those of the bytes. */
const decoder = /* @__PURE__ */ new TextDecoder('latin1')
const encoder = /* @__PURE__ */ new TextEncoder()

/**
 * The payload with a context in the place that its protocol leaves for it: members of an object, which is made if it is
 * not there. Everything else stays as it is, byte by byte. The payload itself if that place is not found whole, or has a
 * context of the application's own.
 *
 * @param path of the object, such as `params._meta`
 */
export function writeSlot(data: string | Uint8Array, path: string, carrier: Carrier): string | Uint8Array {
  if (data.length > READ_HEAD_BYTES) return data
  const text = typeof data === 'string' ? data : decoder.decode(data)
  const insertion = insertionFor(text, path, carrier)
  if (insertion === undefined) return data
  const { at } = insertion
  if (typeof data === 'string') return data.slice(0, at) + insertion.text + data.slice(at)
  const joined = new Uint8Array(data.length + insertion.text.length)
  joined.set(data.subarray(0, at))
  encoder.encodeInto(insertion.text, joined.subarray(at))
  joined.set(data.subarray(at), at + insertion.text.length)
  return joined
}

function insertionFor(text: string, path: string, carrier: Carrier): Insertion | undefined {
  const members = membersOf(carrier)
  const steps = parsePath(path)
  const last = steps.at(-1)
  let parent = wholeObject(text, skipSpace(text, 0))
  for (const step of steps.slice(0, -1)) {
    const start = parent?.memberStart(String(step), false)
    parent = typeof start === 'number' ? wholeObject(text, start) : undefined
  }
  if (parent === undefined || members === '' || typeof last !== 'string') return undefined
  const start = parent.memberStart(last, false)
  if (start === undefined) return first(text, parent.start, `"${last}":{${members}}`)
  const slot = start === NOT_READ ? undefined : wholeObject(text, start)
  if (slot === undefined || CARRIER_KEYS.some((key) => slot.memberStart(key, false) !== undefined)) return undefined
  return first(text, slot.start, members)
}

/** Inserts members in front of those that an object has. */
function first(text: string, start: number, members: string): Insertion {
  const isEmpty = text.charCodeAt(skipSpace(text, start + 1)) === CLOSE_BRACE
  return { at: start + 1, text: isEmpty ? members : `${members},` }
}

function wholeObject(text: string, start: number): JsonLevel | undefined {
  if (text.charCodeAt(start) !== OPEN_BRACE || skipValue(text, start) === -1) return undefined
  const level = new JsonLevel()
  level.open(text, start, true)
  return level
}

/** `traceparent` and `tracestate`: baggage has no place in what a specification leaves for a context. */
function membersOf({ traceparent, tracestate }: Carrier): string {
  if (traceparent === undefined) return ''
  const state = tracestate !== undefined && isPlain(tracestate) ? `,"tracestate":"${tracestate}"` : ''
  return `"traceparent":"${traceparent}"${state}`
}
