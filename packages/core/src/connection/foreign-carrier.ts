import { SELECTOR_HEAD_BYTES, SELECTOR_TAIL_BYTES, selectObject } from '../options/selector.ts'
import { CARRIER_KEYS, type Carrier, type CarrierKey, isPlain, MAX_CARRIER_LENGTH } from '../propagation/carrier.ts'

/** A carrier begins in the bytes that a selector reads from the start, or ends in those that it reads from the end. */
const HEAD_BYTES = SELECTOR_HEAD_BYTES + MAX_CARRIER_LENGTH
const TAIL_BYTES = SELECTOR_TAIL_BYTES + MAX_CARRIER_LENGTH

const decoder = /* @__PURE__ */ new TextDecoder()

/**
 * Reads a carrier that a peer with a format of its own has written: a member of this name anywhere at the top level of a
 * JSON text, with any white space and order of members. The text is not changed.
 */
export function readForeignCarrier(text: string | Uint8Array, name: string): Carrier | undefined {
  const { length } = text
  const head = slice(text, 0, Math.min(length, HEAD_BYTES))
  const tail = length > HEAD_BYTES ? slice(text, length - TAIL_BYTES, length) : ''
  const member = selectObject(name, head, tail)
  return member === undefined || member.length > MAX_CARRIER_LENGTH ? undefined : parseMember(member)
}

function slice(text: string | Uint8Array, from: number, to: number): string {
  return typeof text === 'string' ? text.slice(from, to) : decoder.decode(text.subarray(from, to))
}

function parseMember(text: string): Carrier | undefined {
  let found: Record<string, unknown>
  try {
    found = JSON.parse(text) as Record<string, unknown>
  } catch {
    return undefined
  }
  const carrier: { -readonly [K in CarrierKey]?: string } = {}
  for (const key of CARRIER_KEYS) {
    const value = Object.hasOwn(found, key) ? found[key] : undefined
    if (typeof value === 'string' && isPlain(value)) carrier[key] = value
  }
  return carrier.traceparent === undefined ? undefined : carrier
}
