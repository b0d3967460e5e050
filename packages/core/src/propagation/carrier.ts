import { createTraceState, type SpanContext, TraceFlags, trace } from '@opentelemetry/api'

/** The members of a carrier, in the order in which they are written. */
export const CARRIER_KEYS = ['traceparent', 'tracestate', 'baggage'] as const

export type CarrierKey = (typeof CARRIER_KEYS)[number]

/** Trace context and baggage in their W3C text forms. */
export type Carrier = { readonly [K in CarrierKey]?: string | undefined }

/** Most characters of a carrier's text, from its opening brace to its closing one. All of them are ASCII. */
export const MAX_CARRIER_LENGTH = 1024

/** Values that need no escapes in JSON: printable ASCII without quotation mark and backslash. */
const PLAIN = /^[ !#-[\]-~]*$/

/** True when a carrier can hold the text as it is. */
export function isPlain(value: string): boolean {
  return PLAIN.test(value)
}

/**
 * Puts a span's context and baggage into a carrier. What would not fit in its limits is left out: the baggage first, then
 * the trace state. `undefined` when there is nothing to carry.
 */
export function carrierFromSpanContext(spanContext: SpanContext | undefined, baggage?: string): Carrier | undefined {
  const carrier: { -readonly [K in CarrierKey]?: string } = {}
  let length = '{}'.length
  const put = (key: CarrierKey, value: string | undefined) => {
    if (value === undefined || value === '' || !isPlain(value)) return
    const added = key.length + value.length + '"":"",'.length
    if (length + added > MAX_CARRIER_LENGTH) return
    length += added
    carrier[key] = value
  }
  if (spanContext !== undefined && trace.isSpanContextValid(spanContext)) {
    put('traceparent', formatTraceparent(spanContext))
    put('tracestate', spanContext.traceState?.serialize())
  }
  put('baggage', baggage)
  return length === '{}'.length ? undefined : carrier
}

/** List-member of `tracestate` in the carriers of a broadcast, always the first one. */
const BROADCAST_MARK = 'otelws=b'

/**
 * Marks the carrier of a broadcast: many connections get the same one, and their spans are not the one partner of its
 * span. A carrier that would become too long stays as it is.
 */
export function markBroadcast(carrier: Carrier | undefined): Carrier | undefined {
  if (carrier?.traceparent === undefined) return carrier
  const { tracestate } = carrier
  const marked = {
    ...carrier,
    tracestate: tracestate === undefined ? BROADCAST_MARK : `${BROADCAST_MARK},${tracestate}`,
  }
  return JSON.stringify(marked).length > MAX_CARRIER_LENGTH ? carrier : marked
}

/** True for the carrier of a broadcast. */
export function isBroadcastCarrier({ tracestate }: Carrier): boolean {
  return tracestate === BROADCAST_MARK || tracestate?.startsWith(`${BROADCAST_MARK},`) === true
}

/** The carrier that an object is: it has members of one, as texts that one can hold, and no others. */
export function carrierFromObject(value: unknown): Carrier | undefined {
  if (!isPlainObject(value)) return undefined
  const carrier: { -readonly [K in CarrierKey]?: string } = {}
  let length = '{}'.length
  for (const key of Object.keys(value)) {
    const text = value[key]
    if (!CARRIER_KEYS.includes(key as CarrierKey) || typeof text !== 'string' || !isPlain(text)) return undefined
    carrier[key as CarrierKey] = text
    length += key.length + text.length + '"":"",'.length
    if (length > MAX_CARRIER_LENGTH) return undefined
  }
  return carrier
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** The span context of a carrier; `undefined` when it has none that is valid. */
export function spanContextOf(carrier: Carrier): SpanContext | undefined {
  const { traceparent, tracestate } = carrier
  const parsed = traceparent === undefined ? undefined : parseTraceparent(traceparent)
  if (parsed === undefined || tracestate === undefined) return parsed
  // The mark is for this span alone.
  const state = isBroadcastCarrier(carrier) ? tracestate.slice(BROADCAST_MARK.length + 1) : tracestate
  return state === '' ? parsed : { ...parsed, traceState: createTraceState(state) }
}

function formatTraceparent({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${(traceFlags & 0xff).toString(16).padStart(2, '0')}`
}

/** W3C Trace Context, section 3.2: of a later version the members that version 00 has are read. */
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

function parseTraceparent(text: string): SpanContext | undefined {
  const [, version, traceId, spanId, flags, rest] = TRACEPARENT.exec(text) ?? []
  if (version === undefined || version === 'ff' || (version === '00' && rest !== undefined)) return undefined
  const spanContext = {
    traceId: traceId as string,
    spanId: spanId as string,
    traceFlags: Number.parseInt(flags as string, 16) & TraceFlags.SAMPLED,
    isRemote: true,
  }
  return trace.isSpanContextValid(spanContext) ? spanContext : undefined
}
