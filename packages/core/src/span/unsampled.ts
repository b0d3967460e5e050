import { type Span, type SpanContext, TraceFlags, trace } from '@opentelemetry/api'
import { randomId } from './random-id.ts'

/** Returns a span that is not recorded, so that what starts in it is not either: in this trace, else in one of its own. */
export function unsampledIn(context: SpanContext | undefined): Span {
  const ids = context ?? { traceId: randomId() + randomId(), spanId: randomId() }
  return trace.wrapSpanContext({ ...ids, traceFlags: TraceFlags.NONE })
}
