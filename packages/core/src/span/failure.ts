import { type Span, SpanStatusCode } from '@opentelemetry/api'
import { isRecording, recordException, setAttribute, setStatus } from '../api/span.ts'
import { ATTR_ERROR_TYPE } from '../schema.ts'
import { errorType } from './error-type.ts'

/** Sets status ERROR and `error.type` on a span of something that failed without an exception. */
export function markFailed(span: Span, type: string): Span {
  setStatus(span, { code: SpanStatusCode.ERROR })
  setAttribute(span, ATTR_ERROR_TYPE, type)
  return span
}

/**
 * Sets status ERROR and `error.type` on a span and records the exception.
 *
 * @param at when it failed, in milliseconds on the monotonic clock. Recording formats the stack, which may take longer
 *   than the failed code did: end the span with a time that was taken before.
 */
export function recordError(span: Span, error: unknown, at?: number): void {
  if (!isRecording(span)) return
  const type = errorType(error)
  setAttribute(span, ATTR_ERROR_TYPE, type)
  const message = messageOf(error)
  setStatus(span, message === undefined ? { code: SpanStatusCode.ERROR } : { code: SpanStatusCode.ERROR, message })
  recordException(span, error instanceof Error ? error : (message ?? type), at)
}

/** The message of an error, whose getter may throw. */
function messageOf(error: unknown): string | undefined {
  try {
    const message = error instanceof Error ? error.message : error
    return typeof message === 'string' ? message : undefined
  } catch {
    return undefined
  }
}
