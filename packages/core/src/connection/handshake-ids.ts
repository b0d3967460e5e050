import { type SpanContext, TraceFlags } from '@opentelemetry/api'

const TRACE_ID_END = 32
const SPAN_ID_END = 48
const FLAGS_END = 50
const NINE = 57

/**
 * The ids of a handshake, kept for as long as its connection lives. A span's own context is an object with two texts,
 * 140 B; as one flat text they are half of that. What does not fit the pattern is kept as it is.
 */
export type HandshakeIds = string | SpanContext

export function packIds(context: SpanContext): HandshakeIds {
  const { traceId, spanId, traceFlags, traceState } = context
  const flags = traceFlags.toString(16).padStart(2, '0')
  const fits =
    traceState === undefined &&
    traceId.length === TRACE_ID_END &&
    spanId.length === SPAN_ID_END - TRACE_ID_END &&
    flags.length === FLAGS_END - SPAN_ID_END
  // Joined, not concatenated: a concatenation keeps its parts.
  return fits ? [traceId, spanId, flags].join('') : context
}

export function unpackIds(ids: HandshakeIds): SpanContext {
  if (typeof ids !== 'string') return ids
  return {
    traceId: ids.slice(0, TRACE_ID_END),
    spanId: ids.slice(TRACE_ID_END, SPAN_ID_END),
    traceFlags: Number.parseInt(ids.slice(SPAN_ID_END, FLAGS_END), 16),
  }
}

/** Asked for each message with `messageSampling: 'connection'`. */
export function isSampled(ids: HandshakeIds): boolean {
  if (typeof ids !== 'string') return (ids.traceFlags & TraceFlags.SAMPLED) !== 0
  const digit = ids.charCodeAt(FLAGS_END - 1)
  // The code of 9 is odd as 9 is; the code of a is odd and 10 is not.
  return ((digit > NINE ? digit + 1 : digit) & TraceFlags.SAMPLED) !== 0
}
