import { type MetricPoint, numberAttribute, type Span, textAttribute } from '../model.ts'
import * as names from '../names.ts'
import { ConnectionStore } from './connections.ts'
import { type Counts, HighlightCounts } from './highlights.ts'
import { type LogLimits, LogStore, type NewLog } from './logs.ts'
import { MetricStore } from './metrics.ts'
import { operationOf } from './operation.ts'
import { routeOf } from './place.ts'
import { TraceStore } from './traces.ts'

export interface StoreLimits extends LogLimits {
  readonly maxSpans: number
  readonly maxBytes: number
  readonly maxSpansPerTrace: number
  readonly maxConnections: number
  readonly maxSeries: number
  readonly maxSamples: number
}

/** Reasons to refuse a request that are kept apart. */
const mostRefusals = 20
/** Services and routes that the menus offer. */
const mostNames = 200
/** Seconds over which the rate of spans is averaged. */
const rateSeconds = 5

/** Everything that was received and is kept, and counts of what is not. */
export class Store {
  readonly limits: StoreLimits
  readonly traces: TraceStore
  readonly connections: ConnectionStore
  readonly metrics: MetricStore
  readonly logs: LogStore
  readonly #highlightCounts = new HighlightCounts()
  #highlights: { readonly version: number; readonly read: Counts } | undefined
  #received = 0
  #dropped = 0
  #points = 0
  #invalid = 0
  #doubled = 0
  #refused = 0
  #refusal = ''
  /** Requests answered with an error, by what was wrong with them. */
  readonly #refusals = new Map<string, number>()
  #version = 0
  /** Names for the menus of filters: of everything that came, since what is kept of it changes all the time. */
  readonly #services = new Set<string>()
  readonly #routes = new Set<string>()
  /** Spans taken in each of the last whole seconds, by second. */
  readonly #perSecond = new Map<number, number>()

  /** `since`: since when it takes what is counted, epoch milliseconds. Default: now. */
  constructor(limits: StoreLimits, since = Date.now()) {
    this.limits = limits
    this.traces = new TraceStore(limits, (span) => this.#forget(span))
    this.connections = new ConnectionStore(limits.maxConnections)
    this.metrics = new MetricStore(limits, since)
    this.logs = new LogStore(limits)
  }

  /** Changes whenever anything does. */
  get version(): number {
    return this.#version
  }

  get highlights(): Counts {
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
      doubled: this.#doubled,
      traces: this.traces.traceCount,
      tracesDropped: this.traces.dropped,
      logs: this.logs.count,
      logsDropped: this.logs.dropped,
      connections: this.connections.count,
      connectionsDropped: this.connections.dropped,
      series: this.metrics.seriesCount,
      seriesDropped: this.metrics.dropped,
      points: this.#points,
      invalid: this.#invalid,
      refused: this.#refused,
      refusal: this.#refusal,
      refusals: [...this.#refusals].map(([what, count]) => ({ what, count })),
      services: [...this.#services].sort(),
      routes: [...this.#routes].sort(),
      rate: this.#rate(),
      maxSpans: this.limits.maxSpans,
      maxBytes: this.limits.maxBytes,
    }
  }

  /** Takes spans; `invalid` is how many came with them and could not be read. */
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
      this.#note(span.resource.service, routeOf(span))
      const operation = operationOf(span)
      const trace = this.traces.get(span.traceId)
      if (trace?.spans.get(span.spanId) !== span) this.#doubled++
      const parent = trace?.spans.get(span.parentSpanId)
      this.connections.add(span, operation, parent)
      this.#highlightCounts.add(span, operation)
      for (const event of span.events) if (event.name === names.BUFFERED_EVENT) this.#noteBuffered(event.attributes)
    }
  }

  /** Takes log records; `invalid` is how many came with them and could not be read. */
  addLogs(logs: readonly NewLog[], invalid: number): void {
    this.#version++
    this.#invalid += invalid
    for (const log of logs) {
      this.logs.add(log)
      this.#note(log.resource.service, '')
    }
  }

  /** Takes data points; `invalid` is how many came with them and could not be read. */
  addPoints(points: readonly MetricPoint[], invalid: number): void {
    this.#version++
    this.#invalid += invalid
    this.#points += points.length
    for (const point of points) {
      this.metrics.add(point)
      this.#note(point.resource.service, textAttribute(point.attributes, names.ROUTE))
    }
  }

  /** Notes a request that was answered with an error, for the person at the page. */
  refused(message: string): void {
    this.#version++
    this.#refused++
    this.#refusal = message
    const what = this.#refusals.has(message) || this.#refusals.size < mostRefusals ? message : 'for other reasons'
    this.#refusals.set(what, (this.#refusals.get(what) ?? 0) + 1)
  }

  /** Forgets everything received so far. */
  clear(): void {
    this.#version++
    this.traces.clear()
    this.connections.clear()
    this.metrics.clear()
    this.logs.clear()
    this.#highlightCounts.clear()
    this.#received = 0
    this.#doubled = 0
    this.#dropped = 0
    this.#points = 0
    this.#invalid = 0
    this.#refused = 0
    this.#refusal = ''
    this.#refusals.clear()
    this.#services.clear()
    this.#routes.clear()
  }

  #note(service: string, route: string): void {
    if (this.#services.size < mostNames) this.#services.add(service)
    if (route !== '' && this.#routes.size < mostNames) this.#routes.add(route)
  }

  #noteBuffered(attributes: Span['attributes']): void {
    const buffered = numberAttribute(attributes, names.SEND_BUFFERED)
    if (buffered === undefined) return
    const rtt = numberAttribute(attributes, names.PING_RTT)
    this.connections.noteBuffered(textAttribute(attributes, names.CONNECTION_ID), buffered, rtt)
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
