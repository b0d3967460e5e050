import type {
  Attributes,
  AttributeValue,
  Context,
  Exception,
  Link,
  Span,
  SpanContext,
  SpanOptions,
  SpanStatus,
  TimeInput,
  Tracer,
} from '@opentelemetry/api'
import { reportThrown } from './log.ts'

// Samplers, span processors and spans of the SDK may throw, and the application must not notice. The calls stand here one
// by one, because a general one would need a function per call.

/** Calls of the SDK that run now. */
let running = 0

/**
 * True while code of the SDK runs that was called from here. A span processor that sends a message must not start a span
 * for it, whose end would be the next message.
 */
export function isInsideSdk(): boolean {
  return running > 0
}

/** Starts a span; `undefined` without a tracer, and if the SDK throws. */
export function startSpan(
  tracer: Tracer | undefined,
  name: string,
  options: SpanOptions,
  parent: Context,
): Span | undefined {
  if (tracer === undefined) return undefined
  running++
  try {
    return tracer.startSpan(name, options, parent)
  } catch (error) {
    reportThrown('startSpan()', error)
    return undefined
  } finally {
    running--
  }
}

export function endSpan(span: Span | undefined, endTime?: TimeInput): void {
  if (span === undefined) return
  running++
  try {
    span.end(endTime)
  } catch (error) {
    reportThrown('span.end()', error)
  } finally {
    running--
  }
}

export function isRecording(span: Span | undefined): span is Span {
  if (span === undefined) return false
  try {
    return span.isRecording()
  } catch (error) {
    reportThrown('span.isRecording()', error)
    return false
  }
}

/** The ids of a span; `undefined` without a span, and if it throws. */
export function idsOf(span: Span | undefined): SpanContext | undefined {
  if (span === undefined) return undefined
  try {
    return span.spanContext()
  } catch (error) {
    reportThrown('span.spanContext()', error)
    return undefined
  }
}

export function setAttribute(span: Span | undefined, key: string, value: AttributeValue): void {
  try {
    span?.setAttribute(key, value)
  } catch (error) {
    reportThrown('span.setAttribute()', error)
  }
}

/** Sets attributes that are known, or that a hook of the application returned. */
export function setAttributes(span: Span | undefined, attributes: Attributes | undefined | void): void {
  if (!attributes) return
  try {
    span?.setAttributes(attributes)
  } catch (error) {
    reportThrown('span.setAttributes()', error)
  }
}

export function setStatus(span: Span, status: SpanStatus): void {
  try {
    span.setStatus(status)
  } catch (error) {
    reportThrown('span.setStatus()', error)
  }
}

export function renameSpan(span: Span, name: string): void {
  try {
    span.updateName(name)
  } catch (error) {
    reportThrown('span.updateName()', error)
  }
}

export function addLinks(span: Span, links: Link[]): void {
  try {
    span.addLinks(links)
  } catch (error) {
    reportThrown('span.addLinks()', error)
  }
}

export function addEvent(span: Span, name: string, attributes: Attributes): void {
  try {
    span.addEvent(name, attributes)
  } catch (error) {
    reportThrown('span.addEvent()', error)
  }
}

export function recordException(span: Span, error: Exception, at: TimeInput | undefined): void {
  try {
    span.recordException(error, at)
  } catch (thrown) {
    reportThrown('span.recordException()', thrown)
  }
}
