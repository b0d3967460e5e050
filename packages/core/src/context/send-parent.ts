import { type Context, isSpanContextValid, type Span, type SpanContext, TraceFlags } from '@opentelemetry/api'
import { activeContext } from '../api/context.ts'
import { idsOf, isRecording } from '../api/span.ts'
import { type Carrier, markBroadcast } from '../propagation/carrier.ts'
import { createCarrier, type PropagationTerms } from '../propagation/terms.ts'
import { type SpanScope, spanOf, spanScopeOf } from './span-scope.ts'

/** The context of a message's parent span; `undefined` outside of any span, or long after its end. */
export function sendParent(active: Context): Context | undefined {
  const span = spanOf(active)
  if (span === undefined) return undefined
  const scope = spanScopeOf(active) as (SpanScope & { readonly adopts?: boolean }) | undefined
  return scope?.adopts === false && scope.owns(span) ? undefined : active
}

/**
 * Counts a message that becomes a child of the active span. False if that is the span of an operation with as many messages
 * as it may have: the message then starts a trace. Spans of the application are not counted.
 */
export function adoptsOneMore(active: Context, limit: number): boolean {
  const scope = spanScopeOf(active) as (SpanScope & { adopt?(limit: number): boolean }) | undefined
  const span = spanOf(active)
  return scope?.adopt === undefined || span === undefined || !scope.owns(span) || scope.adopt(limit)
}

/** True if the calling code handles a message, or the opening, of another connection than this one. */
export function isCausedByAnother(active: Context, connection: unknown): boolean {
  const scope = spanScopeOf(active) as { readonly connection?: unknown; readonly owner?: unknown } | undefined
  const cause = scope?.connection ?? scope?.owner
  return cause !== undefined && cause !== connection
}

/** The ids of the active span; `undefined` outside of any. */
export function activeIds(): SpanContext | undefined {
  const ids = idsOf(spanOf(activeContext()))
  return ids !== undefined && isSpanContextValid(ids) ? ids : undefined
}

/** The parent span of a message. */
export function sendParentSpan(active: Context): Span | undefined {
  const parent = sendParent(active)
  return parent && spanOf(parent)
}

/**
 * The carrier of a message without a span of its own: the context of its parent span.
 *
 * @param isBroadcast the same carrier goes to many connections
 */
export function currentCarrier(terms: PropagationTerms, isBroadcast = false): Carrier | undefined {
  const active = activeContext()
  const carrier = createCarrier(idsOf(sendParentSpan(active)), active, terms.sendsBaggage)
  return isBroadcast ? markBroadcast(carrier) : carrier
}

/** True if messages in this context inherit the decision not to sample. */
export function isUnsampled(parent: Context | undefined): boolean {
  const span = parent === undefined ? undefined : spanOf(parent)
  if (span === undefined || isRecording(span)) return false
  const ids = idsOf(span)
  return ids !== undefined && (ids.traceFlags & TraceFlags.SAMPLED) === 0
}
