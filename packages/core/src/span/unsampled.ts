import { type Span, type SpanContext, TraceFlags, trace } from '@opentelemetry/api'
import { randomId } from './random-id.ts'

/** On the span of a message that is over a budget: its parent, if that came with the message. */
const OVER_BUDGET = Symbol('over budget')

interface OverBudget {
  readonly [OVER_BUDGET]?: { readonly parent: SpanContext | undefined }
}

/** Returns a span that is not recorded, so that what starts in it is not either: in this trace, else in one of its own. */
export function unsampledIn(context: SpanContext | undefined): Span {
  const ids = context ?? { traceId: randomId() + randomId(), spanId: randomId() }
  return trace.wrapSpanContext({ ...ids, traceFlags: TraceFlags.NONE })
}

/**
 * As {@link unsampledIn}, for a message that is over a budget, so that the sampler was not asked.
 *
 * @param parent the context that came with the message, if it is the parent
 */
export function overBudgetIn(context: SpanContext | undefined, parent: SpanContext | undefined): Span {
  return Object.assign(unsampledIn(parent ?? context), { [OVER_BUDGET]: { parent } })
}

/** True for the span of a message that is over a budget. */
export function isOverBudget(span: Span): boolean {
  return OVER_BUDGET in span
}

/** The parent of a message that is over a budget, if that came with it. */
export function parentOverBudget(span: Span | undefined): SpanContext | undefined {
  return (span as OverBudget | undefined)?.[OVER_BUDGET]?.parent
}
