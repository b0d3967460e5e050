import { type Context, context, type Span, TraceFlags } from '@opentelemetry/api'
import type { Carrier } from '../propagation/carrier.ts'
import { createCarrier, type PropagationTerms } from '../propagation/terms.ts'
import { type SpanScope, spanOf, spanScopeOf } from './span-scope.ts'

/** The context whose span a message is sent under; `undefined` when it is sent outside of any, or long after it. */
export function sendParent(active: Context): Context | undefined {
  const span = spanOf(active)
  if (span === undefined) return undefined
  const frame = spanScopeOf(active) as (SpanScope & { readonly adopts?: boolean }) | undefined
  return frame?.adopts === false && frame.owns(span) ? undefined : active
}

/** The span that a message is sent under. */
export function sendParentSpan(active: Context): Span | undefined {
  const parent = sendParent(active)
  return parent && spanOf(parent)
}

/** What a message carries that has no span of its own: the context of the span that it is sent under. */
export function currentCarrier(agreement: PropagationTerms): Carrier | undefined {
  const active = context.active()
  return createCarrier(sendParentSpan(active)?.spanContext(), active, agreement.sendsBaggage)
}

/** True when what is sent in this context inherits a decision not to sample, which saves every further step. */
export function isUnsampled(parent: Context | undefined): boolean {
  const span = parent === undefined ? undefined : spanOf(parent)
  return span !== undefined && !span.isRecording() && (span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0
}
