import {
  type Attributes,
  context,
  DiagLogLevel,
  diag,
  type Link,
  metrics,
  propagation,
  trace,
} from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core'
import { DataPointType, MeterProvider, type MetricData, MetricReader } from '@opentelemetry/sdk-metrics'
import {
  AlwaysOnSampler,
  type ReadableSpan,
  type Sampler,
  type Span,
  type SpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace'

/** How long a wait for telemetry lasts before it fails with what has been seen instead, in ms. */
const PATIENCE = 30_000

/** One data point of one instrument, flattened. */
export interface MetricRow {
  readonly name: string
  readonly unit: string
  readonly type: 'counter' | 'updown' | 'gauge' | 'histogram'
  readonly attributes: Attributes
  /** Of sums and gauges. */
  readonly value?: number
  /** Of histograms. */
  readonly count?: number
  readonly sum?: number
  readonly boundaries?: readonly number[]
}

interface Waiter {
  readonly done: () => boolean
  readonly resolve: () => void
}

class RecordingProcessor implements SpanProcessor {
  readonly open = new Map<string, string>()
  readonly finished: ReadableSpan[] = []
  readonly waiters = new Set<Waiter>()
  started = 0
  ended = 0

  onStart(span: Span): void {
    this.started++
    this.open.set(span.spanContext().spanId, span.name)
    this.#wake()
  }

  onEnd(span: ReadableSpan): void {
    this.ended++
    this.open.delete(span.spanContext().spanId)
    this.finished.push(span)
    this.#wake()
  }

  #wake(): void {
    for (const waiter of this.waiters) {
      if (waiter.done()) {
        this.waiters.delete(waiter)
        waiter.resolve()
      }
    }
  }

  async forceFlush(): Promise<void> {}
  async shutdown(): Promise<void> {}
}

class OnDemandReader extends MetricReader {
  protected async onForceFlush(): Promise<void> {}
  protected async onShutdown(): Promise<void> {}
}

/**
 * An OpenTelemetry SDK in memory: every span started and ended, metrics on demand, and what was said through `diag`.
 * `install()` registers it globally, `uninstall()` leaves no trace of it.
 */
export class Telemetry {
  /** Asked for every span; replace it at any time. Default: sample everything. */
  sampler: Sampler = new AlwaysOnSampler()
  /** Warnings and errors said through `diag`, one line each. */
  readonly diagnostics: string[] = []
  readonly tracerProvider: TracerProvider
  readonly meterProvider: MeterProvider
  readonly #processor = new RecordingProcessor()
  readonly #reader = new OnDemandReader()
  readonly #contextManager = new AsyncLocalStorageContextManager()

  constructor() {
    this.tracerProvider = new TracerProvider({
      sampler: {
        shouldSample: (...asked) => this.sampler.shouldSample(...asked),
        toString: () => this.sampler.toString(),
      },
      spanProcessors: [this.#processor],
    })
    this.meterProvider = new MeterProvider({ readers: [this.#reader] })
  }

  install(): void {
    const note = (message: string, ...rest: unknown[]): void => {
      this.diagnostics.push([message, ...rest.map(String)].join(' '))
    }
    diag.setLogger({ error: note, warn: note, info() {}, debug() {}, verbose() {} }, DiagLogLevel.WARN)
    this.#contextManager.enable()
    context.setGlobalContextManager(this.#contextManager)
    trace.setGlobalTracerProvider(this.tracerProvider)
    metrics.setGlobalMeterProvider(this.meterProvider)
    propagation.setGlobalPropagator(
      new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()] }),
    )
  }

  async uninstall(): Promise<void> {
    trace.disable()
    metrics.disable()
    propagation.disable()
    context.disable()
    diag.disable()
    await this.tracerProvider.shutdown()
    await this.meterProvider.shutdown()
  }

  /** Every finished span, in the order in which they ended; with a name, those of that name. */
  spans(name?: string): ReadableSpan[] {
    const { finished } = this.#processor
    return name === undefined ? [...finished] : finished.filter((span) => span.name === name)
  }

  /** Names of all finished spans, sorted. */
  names(): string[] {
    return this.#processor.finished.map((span) => span.name).sort()
  }

  /** The only finished span of that name; throws when there is none or more than one. */
  span(name: string): ReadableSpan {
    const [span, ...more] = this.spans(name)
    if (span === undefined || more.length > 0) {
      throw new Error(`expected one span named '${name}', got ${JSON.stringify(this.names())}`)
    }
    return span
  }

  /** The n-th span of that name to end (from 1), as soon as it has ended. */
  async waitForSpan(name: string, n = 1): Promise<ReadableSpan> {
    await this.waitUntil(() => this.spans(name).length >= n, `span ${n} named '${name}'`)
    const span = this.spans(name)[n - 1]
    if (span === undefined) throw new Error('unreachable')
    return span
  }

  /** Resolves once a span of that name is open. */
  async waitUntilStarted(name: string): Promise<void> {
    await this.waitUntil(() => this.openSpans().includes(name), `the start of span '${name}'`)
  }

  /** Resolves once `done` holds; it is asked each time that a span starts or ends. */
  async waitUntil(done: () => boolean, what: string): Promise<void> {
    if (done()) return
    await new Promise<void>((resolve, reject) => {
      const limit = setTimeout(() => {
        const open = JSON.stringify([...this.#processor.open.values()])
        reject(new Error(`waited in vain for ${what}; ended: ${JSON.stringify(this.names())}; open: ${open}`))
      }, PATIENCE)
      const settle = (): void => {
        clearTimeout(limit)
        resolve()
      }
      this.#processor.waiters.add({ done, resolve: settle })
    })
  }

  /** Names of the spans that have started and not ended. */
  openSpans(): string[] {
    return [...this.#processor.open.values()]
  }

  counts(): { started: number; ended: number } {
    return { started: this.#processor.started, ended: this.#processor.ended }
  }

  /** Forgets finished spans, so that long runs hold nothing. */
  forget(): void {
    this.#processor.finished.length = 0
  }

  /** All data points of the product's instruments at this moment; with a name, those of that instrument. */
  async collect(name?: string): Promise<MetricRow[]> {
    const { resourceMetrics, errors } = await this.#reader.collect()
    if (errors.length > 0) throw errors[0]
    const rows = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics.flatMap(toRows))
    return name === undefined ? rows : rows.filter((row) => row.name === name)
  }
}

function toRows(metric: MetricData): MetricRow[] {
  const { name, unit } = metric.descriptor
  switch (metric.dataPointType) {
    case DataPointType.SUM: {
      const type = metric.isMonotonic ? 'counter' : 'updown'
      return metric.dataPoints.map(({ attributes, value }) => ({ name, unit, type, attributes, value }))
    }
    case DataPointType.GAUGE:
      return metric.dataPoints.map(({ attributes, value }) => ({ name, unit, type: 'gauge', attributes, value }))
    case DataPointType.HISTOGRAM:
      return metric.dataPoints.map(({ attributes, value }) => ({
        name,
        unit,
        type: 'histogram',
        attributes,
        count: value.count,
        sum: value.sum ?? 0,
        boundaries: value.buckets.boundaries,
      }))
    default:
      throw new Error(`unexpected kind of data points: ${metric.dataPointType}`)
  }
}

/** Duration of a finished span in ms. */
export function milliseconds(span: ReadableSpan): number {
  return span.duration[0] * 1e3 + span.duration[1] / 1e6
}

/** What a span's link to another span is. */
export function linkTo(span: ReadableSpan, kind: 'handshake' | 'message' | 'segment' = 'handshake'): Link {
  return { context: span.spanContext(), attributes: { 'websocket.link.kind': kind } }
}
