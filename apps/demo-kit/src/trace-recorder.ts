import type { ReadableSpan, Span, SpanProcessor } from '@opentelemetry/sdk-trace'

interface RecordedTrace {
  readonly ended: ReadableSpan[]
  readonly open: Set<ReadableSpan>
  timer: NodeJS.Timeout | undefined
}

/** Children that start just after their trace has gone quiet, such as a connection handler's, still belong to it. */
const QUIET_PERIOD = 150

/**
 * Span processor that hands over whole traces: the spans of a trace that have ended, once none of it has been open for
 * 150 ms. Spans that start later are handed over as a further part of the same trace.
 */
export class TraceRecorder implements SpanProcessor {
  readonly #traces = new Map<string, RecordedTrace>()
  readonly #onTrace: (spans: readonly ReadableSpan[]) => void
  #started = 0
  #reported = 0

  constructor(onTrace: (spans: readonly ReadableSpan[]) => void) {
    this.#onTrace = onTrace
  }

  /** Number of spans started so far. */
  get started(): number {
    return this.#started
  }

  /** Number of spans handed over so far. */
  get reported(): number {
    return this.#reported
  }

  /** Spans that have started and not ended. */
  openSpans(): ReadableSpan[] {
    return [...this.#traces.values()].flatMap((trace) => [...trace.open])
  }

  onStart(span: Span): void {
    this.#started++
    const { traceId } = span.spanContext()
    let trace = this.#traces.get(traceId)
    if (trace === undefined) {
      trace = { ended: [], open: new Set(), timer: undefined }
      this.#traces.set(traceId, trace)
    }
    clearTimeout(trace.timer)
    trace.open.add(span)
  }

  onEnd(span: ReadableSpan): void {
    const { traceId } = span.spanContext()
    const trace = this.#traces.get(traceId)
    if (trace === undefined) return
    trace.open.delete(span)
    trace.ended.push(span)
    if (trace.open.size === 0) trace.timer = setTimeout(() => this.#report(traceId, trace), QUIET_PERIOD)
  }

  /** Hands over at once whatever has ended. */
  async forceFlush(): Promise<void> {
    for (const [traceId, trace] of this.#traces) this.#report(traceId, trace)
  }

  async shutdown(): Promise<void> {
    await this.forceFlush()
  }

  #report(traceId: string, trace: RecordedTrace): void {
    clearTimeout(trace.timer)
    if (trace.open.size === 0) this.#traces.delete(traceId)
    const spans = trace.ended.splice(0)
    if (spans.length === 0) return
    this.#reported += spans.length
    this.#onTrace(spans)
  }
}
