import { type Span, SpanStatusCode } from '@opentelemetry/api'
import { ATTR_ERROR_TYPE } from '../schema.ts'
import { errorType } from './error-type.ts'

/** Sets status ERROR and `error.type` on a span of something that failed without an exception. */
export function markFailed(span: Span, type: string): Span {
  return span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute(ATTR_ERROR_TYPE, type)
}

/**
 * Sets status ERROR and `error.type` on a span and records the exception.
 *
 * @param at when it failed, in milliseconds on the monotonic clock. Recording formats the stack, which may take longer
 *   than the failed code did: end the span with a time that was taken before.
 */
export function recordError(span: Span, error: unknown, at?: number): void {
  if (!span.isRecording()) return
  const type = errorType(error)
  span.setAttribute(ATTR_ERROR_TYPE, type)
  const message = error instanceof Error ? error.message : typeof error === 'string' ? error : undefined
  span.setStatus(message === undefined ? { code: SpanStatusCode.ERROR } : { code: SpanStatusCode.ERROR, message })
  span.recordException(error instanceof Error ? error : (message ?? type), at)
}
