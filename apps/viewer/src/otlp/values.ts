import type { Attribute, AttributeValue } from '../model.ts'
import { cut, limits } from './limits.ts'

/** A message of unknown content: decoded protobuf or parsed JSON. Its fields are only read through the functions below. */
export type Fields = Readonly<Record<string, unknown>>

const none: Fields = Object.freeze(Object.create(null))

/** The value as a message, or an empty one. */
export function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : none
}

/** The field as a list, or an empty one. A null or missing list is empty; any other value is malformed and throws. */
export function list(message: Fields, name: string): readonly unknown[] {
  const value = message[name]
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw new TypeError(`"${name}" is not an array`)
  return value
}

export function text(value: unknown, length: number): string {
  return typeof value === 'string' ? cut(value, length) : ''
}

interface LongLike {
  readonly low: number
  readonly high: number
  readonly unsigned: boolean
}

function isLong(value: unknown): value is LongLike {
  return typeof value === 'object' && value !== null && 'low' in value && 'high' in value
}

/** A 64-bit integer in any of its wire forms: decimal text or number (JSON), low and high words (protobuf). */
function integer(value: unknown): bigint | undefined {
  if (isLong(value)) {
    const high = value.unsigned ? value.high >>> 0 : value.high
    return (BigInt(high) << 32n) | BigInt(value.low >>> 0)
  }
  if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) return BigInt(value)
  if (typeof value === 'number' && Number.isFinite(value)) return BigInt(Math.trunc(value))
  return undefined
}

/** A number in any of its wire forms; OTLP/JSON writes the values that JSON lacks as text. */
export function number(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  if (value === 'NaN') return Number.NaN
  if (value === 'Infinity') return Number.POSITIVE_INFINITY
  if (value === '-Infinity') return Number.NEGATIVE_INFINITY
  const whole = integer(value)
  return whole === undefined ? undefined : Number(whole)
}

// Year 2255: past it a timestamp is damage, and nanoseconds no longer fit 63 bits.
const latest = 9_000_000_000_000_000_000n

/** A `…UnixNano` field as integer nanoseconds; undefined when missing, zero or out of range. */
export function nanoseconds(value: unknown): bigint | undefined {
  const time = integer(value)
  return time === undefined || time <= 0n || time > latest ? undefined : time
}

/** Epoch milliseconds, with microseconds as fraction: what a double can hold of a timestamp. */
export function milliseconds(time: bigint): number {
  return Number(time / 1000n) / 1000
}

/** A trace or span id as lower-case hex; empty when it is missing, all zero, or not of the right length. */
export function id(value: unknown, bytes: 8 | 16): string {
  let hex = ''
  if (value instanceof Uint8Array) hex = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')
  else if (typeof value === 'string') hex = value.toLowerCase()
  return hex.length === bytes * 2 && /^[0-9a-f]+$/.test(hex) && !/^0+$/.test(hex) ? hex : ''
}

type Plain = AttributeValue | null | readonly Plain[] | { readonly [key: string]: Plain }

function plain(value: unknown, depth: number): Plain {
  const any = fields(value)
  if (Object.hasOwn(any, 'stringValue')) return text(any.stringValue, limits.valueLength)
  if (Object.hasOwn(any, 'boolValue')) return any.boolValue === true
  if (Object.hasOwn(any, 'intValue')) {
    const whole = integer(any.intValue) ?? 0n
    return Number.isSafeInteger(Number(whole)) ? Number(whole) : whole.toString()
  }
  if (Object.hasOwn(any, 'doubleValue')) {
    const double = number(any.doubleValue) ?? 0
    // JSON has no such number: the page gets it as text.
    return Number.isFinite(double) ? double : String(double)
  }
  if (Object.hasOwn(any, 'bytesValue')) {
    const bytes = any.bytesValue
    return bytes instanceof Uint8Array
      ? Buffer.from(bytes.subarray(0, limits.valueLength)).toString('base64')
      : text(bytes, limits.valueLength)
  }
  if (depth >= limits.depth) return '…'
  if (Object.hasOwn(any, 'arrayValue')) {
    return list(fields(any.arrayValue), 'values')
      .slice(0, limits.elements)
      .map((element) => plain(element, depth + 1))
  }
  if (Object.hasOwn(any, 'kvlistValue')) {
    const entries = list(fields(any.kvlistValue), 'values').slice(0, limits.elements)
    return Object.fromEntries(
      entries.map((entry) => [text(fields(entry).key, limits.nameLength), plain(fields(entry).value, depth + 1)]),
    )
  }
  return ''
}

function scalar(value: unknown): AttributeValue {
  const read = plain(value, 0)
  return typeof read === 'object' ? cut(JSON.stringify(read), limits.valueLength) : read
}

/** A value of any type as text: JSON of what is no text, empty where there is none. */
export function anyText(value: unknown, length: number): string {
  const any = fields(value)
  if (Object.hasOwn(any, 'stringValue')) return text(any.stringValue, length)
  return cut(String(scalar(value)), length)
}

/** A count of what the sender left out, within reason. */
export function leftOut(value: unknown): number {
  const whole = integer(value)
  return whole === undefined || whole < 0n ? 0 : Math.min(Number(whole), 1e9)
}

/** What one record may still take: a span with its events and links, or a data point. */
export interface Budget {
  /** Characters of attributes. */
  left: number
  /** What was left out so far. */
  dropped: number
}

export function fullBudget(): Budget {
  return { left: limits.recordLength, dropped: 0 }
}

/** The attributes of a message, at most `limits.attributes` of them, and as many as the budget of their record takes. */
export function attributes(message: Fields, budget: Budget = fullBudget()): Attribute[] {
  const entries = list(message, 'attributes')
  const most = Math.min(entries.length, limits.attributes)
  const read: Attribute[] = []
  for (let index = 0; index < most && budget.left > 0; index++) {
    const entry = fields(entries[index])
    const key = text(entry.key, limits.nameLength)
    if (key === '') continue
    const value = scalar(entry.value)
    budget.left -= key.length + (typeof value === 'string' ? value.length : 8)
    read.push(pair(key, value))
  }
  budget.dropped += entries.length - read.length
  return read
}

// Keys and most values repeat from span to span; one copy of each cuts the store's memory by more than half.
const interned = new Map<AttributeValue, AttributeValue>()
const internedMost = 20_000

function intern<T extends AttributeValue>(value: T): T {
  if (typeof value !== 'string' || value.length > 64) return value
  const known = interned.get(value)
  if (known !== undefined) return known as T
  if (interned.size >= internedMost) interned.clear()
  interned.set(value, value)
  return value
}

// So do the pairs of them, such as the route: one object for each takes a quarter off what a span takes.
const pairs = new Map<string, Map<AttributeValue, Attribute>>()
const pairsMost = 20_000
let pairsKnown = 0

function pair(key: string, value: AttributeValue): Attribute {
  if (typeof value === 'string' && value.length > 64) return [intern(key), value]
  const known = pairs.get(key)?.get(value)
  if (known !== undefined) return known
  if (pairsKnown >= pairsMost) {
    pairs.clear()
    pairsKnown = 0
  }
  const made: Attribute = [intern(key), intern(value)]
  const values = pairs.get(key)
  if (values === undefined) pairs.set(key, new Map([[value, made]]))
  else values.set(value, made)
  pairsKnown++
  return made
}

/** One shared copy of a short text that is likely to be seen again. */
export function shared(value: string): string {
  return intern(value)
}
