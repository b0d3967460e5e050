import type { MetricPoint, Span } from '../model.ts'
import type { Highlights } from '../wire.ts'
import { ConnectionStore } from './connections.ts'
import { HighlightCounts } from './highlights.ts'
import { MetricStore } from './metrics.ts'
import { operationOf } from './operation.ts'
import { TraceStore } from './traces.ts'

export interface StoreLimits {
  readonly maxSpans: number
  readonly maxBytes: number
  readonly maxSpansPerTrace: number
  readonly maxConnections: number
  readonly maxSeries: number
  readonly maxSamples: number
}

/** Seconds over which the rate of spans is told. */
const rateSeconds = 5

/** Everything that was received and is kept, and counts of what is not. */
export class Store {
  readonly limits: StoreLimits
  readonly traces: TraceStore
  readonly connections: ConnectionStore
  readonly metrics: MetricStore
  readonly #highlightCounts = new HighlightCounts()
  #highlights: { readonly version: number; readonly read: Highlights } | undefined
  #received = 0
  #dropped = 0
  #points = 0
  #invalid = 0
  #refused = 0
  #refusal = ''
  #version = 0
  /** Spans taken in each of the last whole seconds, by second. */
  readonly #perSecond = new Map<number, number>()

  constructor(limits: StoreLimits) {
    this.limits = limits
    this.traces = new TraceStore(limits, (span) => this.#forget(span))
    this.connections = new ConnectionStore(limits.maxConnections)
    this.metrics = new MetricStore(limits, Date.now())
  }

  /** Changes whenever anything does. */
  get version(): number {
    return this.#version
  }

  get highlights(): Highlights {
    // Several pages may ask between two changes.
    if (this.#highlights?.version !== this.#version) {
      this.#highlights = { version: this.#version, read: this.#highlightCounts.read(this.connections.values()) }
    }
    return this.#highlights.read
  }

  counts() {
    return {
      spans: this.traces.spanCount,
      received: this.#received,
      dropped: this.#dropped,
      traces: this.traces.traceCount,
      connections: this.connections.count,
      connectionsDropped: this.connections.dropped,
      series: this.metrics.seriesCount,
      seriesDropped: this.metrics.dropped,
      points: this.#points,
      invalid: this.#invalid,
      refused: this.#refused,
      refusal: this.#refusal,
      rate: this.#rate(),
      maxSpans: this.limits.maxSpans,
      maxBytes: this.limits.maxBytes,
    }
  }

  /** Takes spans; `invalid` tells how many came with them and could not be read. */
  addSpans(spans: readonly Span[], invalid: number): void {
    this.#version++
    this.#invalid += invalid
    const second = Math.floor(Date.now() / 1000)
    if (this.#perSecond.size > 10 * rateSeconds) this.#perSecond.clear()
    this.#perSecond.set(second, (this.#perSecond.get(second) ?? 0) + spans.length)
    for (const span of spans) {
      const taken = this.traces.add(span)
      // A retry brings nothing new, and must not look like a loss.
      if (taken !== 'known') this.#received++
      if (taken === 'full') this.#dropped++
      if (taken !== 'added') continue
      const operation = operationOf(span)
      const parent = this.traces.get(span.traceId)?.spans.get(span.parentSpanId)
      this.connections.add(span, operation, parent)
      this.#highlightCounts.add(span, operation)
    }
  }

  /** Takes data points; `invalid` tells how many came with them and could not be read. */
  addPoints(points: readonly MetricPoint[], invalid: number): void {
    this.#version++
    this.#invalid += invalid
    this.#points += points.length
    for (const point of points) this.metrics.add(point)
  }

  /** Notes a request that was answered with an error, for the person at the page. */
  refused(message: string): void {
    this.#version++
    this.#refused++
    this.#refusal = message
  }

  /** Forgets everything received so far. */
  clear(): void {
    this.#version++
    this.traces.clear()
    this.connections.clear()
    this.metrics.clear()
    this.#highlightCounts.clear()
    this.#received = 0
    this.#dropped = 0
    this.#points = 0
    this.#invalid = 0
    this.#refused = 0
    this.#refusal = ''
  }

  #forget(span: Span): void {
    this.#dropped++
    const operation = operationOf(span)
    this.connections.remove(span, operation)
    this.#highlightCounts.remove(span, operation)
  }

  #rate(): number {
    const now = Math.floor(Date.now() / 1000)
    let sum = 0
    for (const [second, spans] of this.#perSecond) {
      if (second < now - rateSeconds) this.#perSecond.delete(second)
      else if (second < now) sum += spans
    }
    return sum / rateSeconds
  }
}
