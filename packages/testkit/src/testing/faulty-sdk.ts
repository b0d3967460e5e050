import {
  type Attributes,
  type Context,
  type ContextManager,
  context,
  createNoopMeter,
  DiagLogLevel,
  diag,
  type Histogram,
  type Meter,
  type MeterProvider,
  metrics,
  propagation,
  ROOT_CONTEXT,
  type Span,
  type TextMapPropagator,
  type Tracer,
  type TracerProvider,
  trace,
} from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { TracerProvider as RealTracerProvider } from '@opentelemetry/sdk-trace'

/** When each part of an SDK throws: before its work, or when it has done it. */
export type Fault = 'throws first' | 'throws afterwards'

/** Thrown by the parts of a {@link FaultySdk}: it must reach neither the application nor the process. */
class SdkFault extends Error {
  override readonly name = 'SdkFault'
}

type Work = (...args: never[]) => unknown

/**
 * An OpenTelemetry SDK of which every part is broken: spans, context manager, instruments, propagator and `diag` logger. The
 * context manager works for the application itself: what it does with contexts of its own is not the subject.
 */
export class FaultySdk {
  /** How often a part has been faulty. */
  faults = 0
  readonly #fault: Fault
  readonly #real = new RealTracerProvider({})
  readonly #contexts = new AsyncLocalStorageContextManager()

  constructor(fault: Fault) {
    this.#fault = fault
  }

  install(): void {
    const warn = () => this.#do(() => {})
    diag.setLogger(
      { error() {}, warn, info() {}, debug() {}, verbose() {} },
      { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
    )
    this.#contexts.enable()
    context.setGlobalContextManager(this.#contextManager())
    trace.setGlobalTracerProvider(this.#tracerProvider())
    metrics.setGlobalMeterProvider(this.#meterProvider())
    propagation.setGlobalPropagator(
      this.#broken<TextMapPropagator>({ inject() {}, extract: (active) => active, fields: () => [] }),
    )
  }

  async uninstall(): Promise<void> {
    diag.disable()
    trace.disable()
    metrics.disable()
    propagation.disable()
    context.disable()
    await this.#real.shutdown()
  }

  spans(): [] {
    return []
  }

  openSpans(): [] {
    return []
  }

  /** Does a piece of work by the fault. */
  #do(work: () => unknown): never {
    this.faults++
    if (this.#fault === 'throws first') throw new SdkFault('before the work')
    work()
    throw new SdkFault('after the work')
  }

  /** The object with methods that are faulty. */
  #broken<T extends object>(object: T): T {
    const sdk = this
    return new Proxy(object, {
      get(target, key) {
        const member = Reflect.get(target, key) as unknown
        if (typeof member !== 'function') return member
        return (...args: never[]) => sdk.#do(() => (member as Work).apply(target, args))
      },
    })
  }

  #tracerProvider(): TracerProvider {
    const sdk = this
    const tracer = this.#real.getTracer('faulty')
    // Not all spans fail to start: else nothing of a span would be called.
    let started = 0
    const faulty = {
      startSpan(...args: Parameters<Tracer['startSpan']>): Span {
        const span = tracer.startSpan(...args)
        started++
        return started % 3 === 0 ? sdk.#do(() => sdk.#span(span)) : sdk.#span(span)
      },
    }
    return { getTracer: () => faulty as Tracer }
  }

  /** A span that says that it records, so that everything of it is called. */
  #span(span: Span): Span {
    const broken = this.#broken(span)
    return Object.create(broken, {
      isRecording: { value: () => true },
      spanContext: { value: () => span.spanContext() },
    }) as Span
  }

  #contextManager(): ContextManager {
    const contexts = this.#contexts
    const application = Object.getPrototypeOf(ROOT_CONTEXT) as object
    let depth = 0
    return {
      active: () => contexts.active(),
      with: ((active: Context, fn: Work, thisArg: unknown, ...args: never[]): unknown => {
        const run = (): unknown => {
          depth++
          try {
            return contexts.with(active, fn as never, thisArg as never, ...args)
          } finally {
            depth--
          }
        }
        const isApplication = depth > 0 || Object.getPrototypeOf(active) === application
        return isApplication ? run() : this.#do(run)
      }) as ContextManager['with'],
      bind: (active, target) => contexts.bind(active, target),
      enable() {
        return this
      },
      disable() {
        return this
      },
    }
  }

  #meterProvider(): MeterProvider {
    const instrument: Histogram & { add(value: number, attributes?: Attributes): void } = { record() {}, add() {} }
    const meter: Meter = {
      ...Object.fromEntries(['createGauge', 'createUpDownCounter'].map((name) => [name, () => instrument])),
      createHistogram: () => this.#broken(instrument),
      createCounter: () => this.#broken(instrument),
      createObservableCounter: () => createNoopMeter().createObservableCounter('faulty'),
      createObservableGauge: () => createNoopMeter().createObservableGauge('faulty'),
      createObservableUpDownCounter: () => createNoopMeter().createObservableUpDownCounter('faulty'),
      addBatchObservableCallback: () => void this.#do(() => {}),
      removeBatchObservableCallback: () => void this.#do(() => {}),
    } as unknown as Meter
    return { getMeter: () => meter }
  }
}
