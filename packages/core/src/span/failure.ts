import { type Span, SpanStatusCode } from '@opentelemetry/api'
import { ATTR_ERROR_TYPE } from '../schema.ts'

/** Marks a span as failed where no error was thrown. */
export function markFailed(span: Span, type: string): Span {
  return span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute(ATTR_ERROR_TYPE, type)
}
