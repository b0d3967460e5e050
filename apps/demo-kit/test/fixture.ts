import { type Attributes, type Context, context, ROOT_CONTEXT, type Span, trace } from '@opentelemetry/api'
import { type IdGenerator, type ReadableSpan, type SpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'

/** Start of every test's time: 2026-11-21, 10:41:02.113 UTC. */
export const START = Date.UTC(2026, 10, 21, 10, 41, 2, 113)

/** Ids that count up: trace `000001…`, span `…01`. */
class CountingIds implements IdGenerator {
  #traces = 0
  #spans = 0

  generateTraceId = (): string =>
    String(++this.#traces)
      .padStart(6, '0')
      .padEnd(32, 'a')

  generateSpanId = (): string => String(++this.#spans).padStart(16, '0')
}

/** A tracer with predictable ids whose spans go to a processor. */
export function tracerFor(spanProcessor: SpanProcessor) {
  return new TracerProvider({ idGenerator: new CountingIds(), spanProcessors: [spanProcessor] }).getTracer('test')
}

/** Keeps the spans that ended. */
export class EndedSpans implements SpanProcessor {
  readonly spans: ReadableSpan[] = []

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    this.spans.push(span)
  }

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {}
}

/** The context below a span. */
export function below(span: Span): Context {
  return trace.setSpan(context.active(), span)
}

/** The context of a caller's span in another process. */
export function remoteParent(): Context {
  const parent = { traceId: 'b'.repeat(32), spanId: 'c'.repeat(16), traceFlags: 1, isRemote: true }
  return trace.setSpanContext(ROOT_CONTEXT, parent)
}

/** A link to the handshake in another trace. */
export function handshakeLink(span: Span): { context: ReturnType<Span['spanContext']>; attributes: Attributes } {
  return { context: span.spanContext(), attributes: { 'websocket.link.kind': 'handshake' } }
}
