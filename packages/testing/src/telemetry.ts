import { context, DiagLogLevel, diag, metrics, propagation, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core'
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics'
import { AlwaysOnSampler, type ReadableSpan, type Sampler, TracerProvider } from '@opentelemetry/sdk-trace'
import { type MetricRow, metricRows } from './metric-rows.ts'
import { RecordingProcessor } from './recording-processor.ts'
import { DEFAULT_TIMEOUT } from './timeout.ts'

class OnDemandReader extends MetricReader {
  protected async onForceFlush(): Promise<void> {}
  protected async onShutdown(): Promise<void> {}
}

/**
 * An OpenTelemetry SDK in memory: every span that starts and ends, metrics on demand, and the lines that were logged
 * through `diag`. `install()` registers it globally, `uninstall()` removes it.
 */
export class TestTelemetry {
  /** Asked for every span; replace it at any time. Default: sample everything. */
  sampler: Sampler = new AlwaysOnSampler()
  /** Warnings and errors that were logged through `diag`, one line each. */
  readonly diagnostics: string[] = []
  readonly tracerProvider: TracerProvider
  readonly meterProvider: MeterProvider
  readonly #processor = new RecordingProcessor()
  readonly #reader = new OnDemandReader()
  readonly #contextManager = new AsyncLocalStorageContextManager()

  constructor() {
    this.tracerProvider = new TracerProvider({
      sampler: {
        shouldSample: (...question) => this.sampler.shouldSample(...question),
        // Which one is asked may change at any time, and otel-ws asks those that it does not know seldom.
        toString: () => 'AlwaysOnSampler',
      },
      spanProcessors: [this.#processor],
    })
    this.meterProvider = new MeterProvider({ readers: [this.#reader] })
  }

  /**
   * Registers the SDK globally, with a context manager and the W3C propagators. Without it, pass `tracerProvider` and
   * `meterProvider` to what is tested.
   *
   * @throws if another SDK is registered
   */
  install(): void {
    if (!trace.setGlobalTracerProvider(this.tracerProvider)) {
      throw new Error('another OpenTelemetry SDK is registered: do not start one in tests, or shut it down before')
    }
    const note = (message: string, ...rest: unknown[]): void => {
      this.diagnostics.push([message, ...rest.map(String)].join(' '))
    }
    diag.setLogger({ error: note, warn: note, info() {}, debug() {}, verbose() {} }, DiagLogLevel.WARN)
    this.#contextManager.enable()
    context.setGlobalContextManager(this.#contextManager)
    metrics.setGlobalMeterProvider(this.meterProvider)
    propagation.setGlobalPropagator(
      new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()] }),
    )
  }

  /** Removes the SDK. */
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

  /**
   * Resolves once `done` returns true; it is called each time that a span starts or ends.
   *
   * @param what names what is waited for, in the error
   * @throws after 5 s, in CI 30 s, with the names of the spans that have ended and of those that are open
   */
  async waitUntil(done: () => boolean, what: string): Promise<void> {
    if (done()) return
    await new Promise<void>((resolve, reject) => {
      const giveUp = this.#processor.wait(done, () => {
        clearTimeout(limit)
        resolve()
      })
      const limit = setTimeout(() => {
        giveUp()
        const open = JSON.stringify(this.openSpans())
        reject(new Error(`waited in vain for ${what}; ended: ${JSON.stringify(this.names())}; open: ${open}`))
      }, DEFAULT_TIMEOUT)
    })
  }

  /** Names of the spans that have started and not ended. */
  openSpans(): string[] {
    return [...this.#processor.open.values()]
  }

  /** Numbers of the spans that have started and that have ended, also of forgotten ones. */
  counts(): { started: number; ended: number } {
    return { started: this.#processor.started, ended: this.#processor.ended }
  }

  /** Forgets finished spans, so that long runs hold nothing. */
  forget(): void {
    this.#processor.finished.length = 0
  }

  /** All data points of all instruments at this moment; with a name, those of that instrument. */
  async collect(name?: string): Promise<MetricRow[]> {
    const { resourceMetrics, errors } = await this.#reader.collect()
    if (errors.length > 0) throw errors[0]
    const rows = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics.flatMap(metricRows))
    return name === undefined ? rows : rows.filter((row) => row.name === name)
  }
}
