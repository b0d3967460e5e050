import type { Resource, Span } from '../model.ts'
import { approximateBytes, resourceBytes } from './size.ts'

export interface Trace {
  readonly id: string
  /** Position in order of arrival. */
  readonly order: number
  readonly spans: Map<string, Span>
  /** Grows with every span, so that a reader can tell whether it has seen this state. */
  version: number
  errors: number
  start: number
  end: number
  bytes: number
  /** Spans that came after the trace was full. */
  overflow: number
}

export interface TraceLimits {
  readonly maxSpans: number
  readonly maxBytes: number
  readonly maxSpansPerTrace: number
}

/** The spans, by trace, within limits: the trace that has waited longest for a span goes first, and as a whole. */
export class TraceStore {
  readonly #limits: TraceLimits
  readonly #evicted: (span: Span) => void
  /** In order of the last span, so that the first is the one to evict. */
  readonly #traces = new Map<string, Trace>()
  /** In order of arrival; evicted traces stay until the next compaction. */
  #arrivals: Trace[] = []
  readonly #linksTo = new Map<string, Set<Span>>()
  /** How many of the spans share each resource. */
  readonly #resources = new Map<Resource, number>()
  #order = 0
  #spans = 0
  #bytes = 0

  constructor(limits: TraceLimits, evicted: (span: Span) => void) {
    this.#limits = limits
    this.#evicted = evicted
  }

  get spanCount(): number {
    return this.#spans
  }

  get traceCount(): number {
    return this.#traces.size
  }

  /** Approximate bytes of memory that the spans hold. */
  get bytes(): number {
    return this.#bytes
  }

  get(traceId: string): Trace | undefined {
    return this.#traces.get(traceId)
  }

  /** Adds a span and makes room for it. `known`: a retried export. `full`: its trace takes no more. */
  add(span: Span): 'added' | 'known' | 'full' {
    const bytes = approximateBytes(span)
    let trace = this.#traces.get(span.traceId)
    if (trace === undefined) {
      trace = {
        id: span.traceId,
        order: this.#order++,
        spans: new Map(),
        version: 0,
        errors: 0,
        start: Number.POSITIVE_INFINITY,
        end: Number.NEGATIVE_INFINITY,
        bytes: 0,
        overflow: 0,
      }
      this.#arrivals.push(trace)
    } else {
      if (trace.spans.has(span.spanId)) return 'known'
      trace.version++
      const { maxSpansPerTrace, maxBytes } = this.#limits
      // A trace is evicted as a whole, so none may grow to be most of what is kept.
      if (trace.spans.size >= maxSpansPerTrace || trace.bytes + bytes > maxBytes / 4) {
        trace.overflow++
        return 'full'
      }
      this.#traces.delete(span.traceId)
    }
    this.#traces.set(span.traceId, trace)
    trace.spans.set(span.spanId, span)
    trace.bytes += bytes
    trace.start = Math.min(trace.start, span.start)
    trace.end = Math.max(trace.end, span.start + span.duration)
    if (span.error) trace.errors++
    this.#bytes += bytes
    this.#spans++
    this.#retain(span.resource)
    for (const link of span.links) {
      const target = link.traceId + link.spanId
      const sources = this.#linksTo.get(target)
      if (sources === undefined) this.#linksTo.set(target, new Set([span]))
      else sources.add(span)
    }
    while ((this.#spans > this.#limits.maxSpans || this.#bytes > this.#limits.maxBytes) && this.#traces.size > 1) {
      this.#evictOldest()
    }
    return 'added'
  }

  /** The spans that link to this one, oldest first. */
  linksTo(traceId: string, spanId: string): ReadonlySet<Span> | undefined {
    return this.#linksTo.get(traceId + spanId)
  }

  /** The traces, newest arrival first. */
  *newest(): Generator<Trace> {
    for (let index = this.#arrivals.length - 1; index >= 0; index--) {
      const trace = this.#arrivals[index]!
      if (this.#traces.get(trace.id) === trace) yield trace
    }
  }

  clear(): void {
    this.#traces.clear()
    this.#linksTo.clear()
    this.#resources.clear()
    this.#arrivals = []
    this.#spans = 0
    this.#bytes = 0
  }

  #retain(resource: Resource): void {
    const spans = this.#resources.get(resource) ?? 0
    this.#resources.set(resource, spans + 1)
    if (spans === 0) this.#bytes += resourceBytes(resource)
  }

  #release(resource: Resource): void {
    const spans = this.#resources.get(resource) ?? 1
    if (spans > 1) this.#resources.set(resource, spans - 1)
    else {
      this.#resources.delete(resource)
      this.#bytes -= resourceBytes(resource)
    }
  }

  #evictOldest(): void {
    const trace = this.#traces.values().next().value!
    this.#traces.delete(trace.id)
    this.#spans -= trace.spans.size
    this.#bytes -= trace.bytes
    for (const span of trace.spans.values()) {
      for (const link of span.links) {
        const target = link.traceId + link.spanId
        const sources = this.#linksTo.get(target)
        sources?.delete(span)
        if (sources?.size === 0) this.#linksTo.delete(target)
      }
      this.#release(span.resource)
      this.#evicted(span)
    }
    if (this.#arrivals.length > 2 * this.#traces.size + 100) {
      this.#arrivals = this.#arrivals.filter((one) => this.#traces.get(one.id) === one)
    }
  }
}
