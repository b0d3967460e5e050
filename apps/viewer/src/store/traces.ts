import type { Resource, Span } from '../model.ts'
import { endingOf, errorOf } from './failure.ts'
import { connectionOf, routeOf } from './place.ts'
import { approximateBytes, resourceBytes } from './size.ts'

export interface Trace {
  readonly id: string
  /** Position in order of arrival. */
  readonly order: number
  /** By span id; where several spans share one, the later ones by `id#2`, `id#3` and so on. */
  readonly spans: Map<string, Span>
  /** Earliest of the spans without a parent; undefined until one is here. */
  root: Span | undefined
  /** Resources of its spans, at most 100, each process once. */
  readonly resources: Resource[]
  /** Route and connection id of the first span that has one. */
  route: string
  connection: string
  /** Error of the first span that failed, and how a handshake failed or why a close is unusual. */
  error: string
  ending: string
  /** Spans that share their id with another one of the trace. */
  doubled: number
  /** Grows with every span, so that a reader knows whether it has seen this state. */
  version: number
  errors: number
  /** Epoch milliseconds. */
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
  #dropped = 0
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

  /** Traces that were dropped to make room. */
  get dropped(): number {
    return this.#dropped
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
    let key = span.spanId
    let trace = this.#traces.get(span.traceId)
    if (trace === undefined) {
      trace = {
        id: span.traceId,
        order: this.#order++,
        spans: new Map(),
        root: undefined,
        resources: [],
        route: '',
        connection: '',
        error: '',
        ending: '',
        doubled: 0,
        version: 0,
        errors: 0,
        start: Number.POSITIVE_INFINITY,
        end: Number.NEGATIVE_INFINITY,
        bytes: 0,
        overflow: 0,
      }
      this.#arrivals.push(trace)
    } else {
      for (let twin = trace.spans.get(key), nth = 2; twin !== undefined; twin = trace.spans.get(key), nth++) {
        if (isSame(twin, span)) return 'known'
        key = `${span.spanId}#${nth}`
      }
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
    trace.spans.set(key, span)
    trace.bytes += bytes
    if (key !== span.spanId) trace.doubled++
    describe(trace, span)
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
    this.#dropped = 0
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
    this.#dropped++
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

/** Whether a span with a known id is the known span once more, as a retried export brings it. */
function isSame(known: Span, span: Span): boolean {
  return (
    known.name === span.name &&
    known.start === span.start &&
    known.duration === span.duration &&
    known.kind === span.kind &&
    known.parentSpanId === span.parentSpanId &&
    known.resource.service === span.resource.service
  )
}

/** Keeps up to date what a list says of the trace, so that a row costs the same whatever its size. */
function describe(trace: Trace, span: Span): void {
  trace.start = Math.min(trace.start, span.start)
  trace.end = Math.max(trace.end, span.start + span.duration)
  if (span.parentSpanId === '' && (trace.root === undefined || span.start < trace.root.start)) trace.root = span
  trace.route ||= routeOf(span)
  trace.connection ||= connectionOf(span)
  trace.ending ||= endingOf(span)
  if (span.error) {
    trace.errors++
    trace.error ||= errorOf(span)
  }
  const { resource } = span
  const known = (one: Resource) =>
    one === resource || (one.service === resource.service && one.instance === resource.instance)
  if (trace.resources.length < 100 && !trace.resources.some(known)) trace.resources.push(resource)
}
