import { type Exception, type Span, SpanStatusCode } from '@opentelemetry/api'
import { isRecording, recordException, setAttribute, setStatus } from '../api/span.ts'
import { ATTR_ERROR_TYPE } from '../schema.ts'
import { errorType } from './error-type.ts'

/** Sets status ERROR and `error.type` on a span of something that failed without an exception. */
export function markFailed(span: Span, type: string): Span {
  setStatus(span, { code: SpanStatusCode.ERROR })
  setAttribute(span, ATTR_ERROR_TYPE, type)
  return span
}

/** Sets `error.type` on a span whose failure is no error, such as a request that was refused on purpose. */
export function recordRefusal(span: Span, error: unknown): void {
  if (isRecording(span)) setAttribute(span, ATTR_ERROR_TYPE, errorType(error))
}

/**
 * Sets status ERROR and `error.type` on a span and records the exception, under the same type.
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
  recordException(span, exceptionOf(error, type, message), at)
}

/** The SDK would take the type of the event from the error's name or code, which may be another than `error.type`. */
function exceptionOf(error: unknown, type: string, message: string | undefined): Exception {
  try {
    return error instanceof Error ? { name: type, message: message ?? '', stack: error.stack ?? '' } : (message ?? type)
  } catch {
    return type
  }
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
