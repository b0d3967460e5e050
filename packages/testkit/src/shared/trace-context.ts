import type { ReadableSpan } from '@opentelemetry/sdk-trace'

/** The context that a remote peer sends. */
export const TRACE_ID = '0af7651916cd43dd8448eb211c80319c'
export const SPAN_ID = 'b7ad6b7169203331'
export const TRACEPARENT = `00-${TRACE_ID}-${SPAN_ID}-01`

/** The `traceparent` of a span. */
export function traceparentOf(span: ReadableSpan, flags = '01'): string {
  const { traceId, spanId } = span.spanContext()
  return `00-${traceId}-${spanId}-${flags}`
}
