import type { Attributes, Context, Span, SpanOptions, Tracer } from '@opentelemetry/api'
import { isInsideSdk, isRecording, startSpan } from '../api/span.ts'
import { warnOfUnseenSdk } from '../api/versions.ts'
import { SpanDeadlines, unrefInterval } from '../context/deadlines.ts'
import { whenSettled } from '../context/promises.ts'
import { type MetricSet, metricSet } from '../metrics/set.ts'
import { createRedactor, type Redactor } from '../options/redact.ts'
import type { ResolvedOptions } from '../options/resolve.ts'
import { SELECTOR_HEAD_BYTES, SELECTOR_TAIL_BYTES, select } from '../options/selector.ts'
import type { HandlerInfo, IgnoreSubject, KeepOptions, UpgradeRequest } from '../options/types.ts'
import { Diagnostics } from '../span/diagnostics.ts'
import { BoundedNames, type MessageName, messageName, otherName } from '../span/names.ts'
import { CoarseClock } from './coarse-clock.ts'
import type { HostDriver, RegisteredNames, Scope } from './driver.ts'
import { KeepReserve } from './keep-reserve.ts'
import { KEPT_PER_SECOND, Keeper } from './keeper.ts'
import { type ProcessBudget, processBudget } from './process-budget.ts'
import { globalTracer, registeredProvider } from './providers.ts'
import { samplerAsks } from './sampler-asks.ts'
import { sharedBy } from './shared.ts'
import type { SpanBudget } from './span-budget.ts'

/** While no SDK is registered, `active` checks for one every so many reads. */
const REFRESH_EVERY = 16
/** Milliseconds after which it is noticed without any read. */
const SEARCH_INTERVAL = 1000

/** Bytes of a text up to which it is parsed to find out whether it is JSON; of a longer one, the beginning decides. */
const MAX_PARSED_BYTES = 4096

/**
 * Shared by all connections of one instrumented host: options, tracer, instruments, bounded names, the application's
 * hooks, and the deadlines of spans. It has no knowledge of connections.
 */
export class Services {
  readonly options: ResolvedOptions
  readonly scope: Scope
  readonly driver: HostDriver<unknown>
  readonly deadlines: SpanDeadlines
  readonly redactor: Redactor
  /** The tracer; `undefined` while no SDK is registered. A field, because each message reads it several times. */
  tracer: Tracer | undefined
  /** The instruments. */
  metrics: MetricSet
  /** Option `maxSpansPerSecond`; `undefined` for no limit. */
  budget: ProcessBudget | undefined
  /** Option `keep`, and failures of messages over a budget; `undefined` without either. */
  keeper: Keeper | undefined
  /** Option `maxSamplerAsksPerSecond`, for messages that start a trace; `undefined` for no limit. */
  asks: SpanBudget | undefined
  readonly diagnostics = new Diagnostics()
  /** For option `idleTimeout`. */
  readonly clock: CoarseClock
  /** If set, the name of a received message that is not among these is recorded as `_OTHER`. */
  registeredNames: RegisteredNames | undefined
  readonly #names: BoundedNames
  readonly #routes = new BoundedNames(1000, 256)
  readonly #subprotocols = new BoundedNames(32, 64)
  readonly #metricValues = new Map<string, BoundedNames>()
  readonly #unnamed = new Map<string | undefined, MessageName>()
  #readsWhileInactive = 0
  #search: ReturnType<typeof unrefInterval> | undefined

  constructor(options: ResolvedOptions, scope: Scope, driver: HostDriver<unknown>) {
    this.options = options
    this.scope = scope
    this.driver = driver
    this.deadlines = new SpanDeadlines(options.maxConnectionSpanAge)
    this.redactor = createRedactor(options.redactQuery, options.allowQuery)
    this.#names = new BoundedNames(options.maxMessageNames, options.maxMessageNameLength)
    this.metrics = metricSet(scope, options.meterProvider)
    this.clock = new CoarseClock(options.idleTimeout)
    this.refresh()
    if (!this.#isActive) {
      this.#search = unrefInterval(() => {
        this.refresh()
        if (this.#isActive) this.stopSearch()
      }, SEARCH_INTERVAL)
    }
  }

  /** Looks no longer for an SDK that is registered late. */
  stopSearch(): void {
    clearInterval(this.#search)
    this.#search = undefined
  }

  get #isActive(): boolean {
    return this.tracer !== undefined || this.metrics.recording
  }

  /**
   * True if spans or metrics are recorded. While false, only plain counters are incremented, and every
   * {@link REFRESH_EVERY} reads, and every second, it is checked again for an SDK that was registered late. While the SDK runs, nothing is recorded.
   */
  get active(): boolean {
    if (isInsideSdk()) return false
    if (this.tracer !== undefined || this.metrics.recording) return true
    if (++this.#readsWhileInactive % REFRESH_EVERY !== 0) return false
    this.refresh()
    return this.tracer !== undefined || this.metrics.recording
  }

  /** Uses the providers that are registered now. */
  refresh(): void {
    const { name, version } = this.scope
    this.metrics = metricSet(this.scope, this.options.meterProvider)
    const { tracerProvider } = this.options
    this.tracer = globalTracer(name, version, tracerProvider)
    if (this.tracer === undefined) warnOfUnseenSdk()
    else this.#bound()
  }

  /** Finds what bounds the spans that go to the present provider. */
  #bound(): void {
    const { tracerProvider, maxSpansPerSecond, maxMessageSpansPerSecond } = this.options
    const { maxSamplerAsksPerSecond, messageSampling, keep } = this.options
    const provider = registeredProvider(tracerProvider)
    if (this.tracer !== undefined && messageSampling === 'independent') {
      this.asks = samplerAsks(provider, this.tracer, maxSamplerAsksPerSecond)
    }
    if (maxSpansPerSecond !== false && maxSpansPerSecond !== Number.POSITIVE_INFINITY) {
      this.budget = processBudget(provider, maxSpansPerSecond)
    }
    const isBounded = this.budget !== undefined || maxMessageSpansPerSecond !== Number.POSITIVE_INFINITY
    if (keep !== undefined || isBounded) this.#keepBy(keep, provider)
  }

  #keepBy(keep: KeepOptions | undefined, provider: object): void {
    const { name, version } = this.scope
    const { keepTracerProvider } = this.options
    const maxPerSecond = keep?.maxPerSecond ?? KEPT_PER_SECOND
    const reserve = sharedBy(provider, 'keep', () => new KeepReserve(maxPerSecond, performance.now()))
    if (this.keeper?.reserve !== reserve) this.keeper = new Keeper(keep, reserve)
    this.keeper.use(keepTracerProvider === undefined ? this.tracer : globalTracer(name, version, keepTracerProvider))
  }

  /** Starts a span that no budget leaves out, such as those of a connection's begin and end; the budget is charged. */
  startSpan(name: string, options: SpanOptions, parent: Context): Span | undefined {
    const span = startSpan(this.tracer, name, options, parent)
    if (isRecording(span)) this.budget?.charge()
    return span
  }

  /** The route of a request: the host's template, else the result of option `route`. */
  routeOf(request: UpgradeRequest, template: string | undefined): string | undefined {
    const { route } = this.options
    if (template !== undefined) return template
    if (typeof route !== 'function') return route
    const value = this.callHook('route', route, request)
    return typeof value === 'string' && value !== '' ? this.#routes.label(value) : undefined
  }

  /**
   * A subprotocol as an attribute. It is bounded because hosts may accept any that a client offers, and redacted because
   * clients that cannot set headers offer tokens.
   */
  subprotocolLabel(subprotocol: string | undefined): string | undefined {
    if (subprotocol === undefined || subprotocol === '') return undefined
    return this.#subprotocols.label(this.redactor.subprotocol(subprotocol))
  }

  /** True if option `ignore` leaves this connection or message without telemetry. */
  ignores(subject: IgnoreSubject): boolean {
    const { ignore } = this.options
    if (ignore === undefined) return false
    if (typeof ignore === 'function') return this.callHook('ignore', ignore, subject) === true
    const patterns = subject.kind === 'connection' ? ignore.routes : ignore.messages
    const value = subject.kind === 'connection' ? subject.route : subject.name
    return value !== undefined && patterns?.some((pattern) => matches(pattern, value)) === true
  }

  /** The attributes that option `connectionAttributes` returns for a request. */
  connectionAttributes(request: UpgradeRequest): Attributes | undefined {
    const { connectionAttributes } = this.options
    return connectionAttributes && (this.callHook('connectionAttributes', connectionAttributes, request) ?? undefined)
  }

  /** Those of a connection's attributes that option `metricAttributes` names, with bounded values. */
  metricAttributes(attributes: Attributes): Attributes | undefined {
    let found: Attributes | undefined
    for (const name of this.options.metricAttributes) {
      const value = attributes[name]
      if (value === undefined || value === null) continue
      let values = this.#metricValues.get(name)
      if (values === undefined) {
        values = new BoundedNames(100, 64)
        this.#metricValues.set(name, values)
      }
      found ??= {}
      found[name] = values.label(String(value))
    }
    return found
  }

  /** True for a text without a name that option `messageName` would read from JSON, if it is none. */
  isMalformed(data: unknown, size: number): boolean {
    const { messageName: selector } = this.options
    if (selector === undefined || typeof selector === 'function') return false
    const isWhole = size <= MAX_PARSED_BYTES
    const text = this.driver.text(data, 0, isWhole ? size : SELECTOR_HEAD_BYTES)
    if (!isWhole) return !/^\s*[[{"\d-]/.test(text)
    try {
      JSON.parse(text)
      return false
    } catch {
      return true
    }
  }

  /** True if an error of a handler sets the status of its span. */
  isError(error: unknown, info: HandlerInfo | undefined): boolean {
    const { isError } = this.options
    const answer =
      isError === undefined || info === undefined ? undefined : this.callHook('isError', isError, error, info)
    return typeof answer === 'boolean' ? answer : (this.driver.isError?.(error) ?? true)
  }

  /** The bounded name of a message whose name the host knows. */
  named(name: string): MessageName {
    return this.#names.bound(name)
  }

  /** The name of messages without a name on this route: their spans carry the route. */
  unnamed(route: string | undefined): MessageName {
    let name = this.#unnamed.get(route)
    if (name === undefined) {
      name = messageName(undefined, route)
      this.#unnamed.set(route, name)
    }
    return name
  }

  /**
   * The name that option `messageName` reads from a payload.
   *
   * @param registered names outside of this set are `_OTHER`
   */
  nameOf(
    data: unknown,
    binary: boolean,
    size: number,
    route: string | undefined,
    registered?: RegisteredNames,
  ): MessageName {
    const { messageName: selector } = this.options
    if (selector === undefined) return this.unnamed(route)
    let raw: unknown
    if (typeof selector === 'function') raw = this.callHook('messageName', selector, data, binary)
    else if (!binary) {
      const head = this.driver.text(data, 0, Math.min(size, SELECTOR_HEAD_BYTES))
      const rest = size > SELECTOR_HEAD_BYTES
      raw = select(selector, head, rest ? this.driver.text(data, size - SELECTOR_TAIL_BYTES, size) : '')
    }
    if (typeof raw !== 'string') return this.unnamed(route)
    return registered === undefined || registered.has(raw) ? this.#names.bound(raw) : otherName(raw)
  }

  /**
   * Calls a hook of the application. If it throws, that is reported once per hook and the result is `undefined`. A
   * promise that it returns is not awaited; its rejection is reported the same way.
   */
  callHook<A extends unknown[], R>(name: string, hook: (...args: A) => R, ...args: A): R | undefined {
    try {
      const result = hook(...args)
      if (typeof result === 'object')
        whenSettled(result, undefined, (error) => this.diagnostics.hookFailed(name, error))
      return result
    } catch (error) {
      this.diagnostics.hookFailed(name, error)
      return undefined
    }
  }
}

function matches(pattern: string | RegExp, value: string): boolean {
  if (typeof pattern === 'string') return pattern === value
  pattern.lastIndex = 0
  return pattern.test(value)
}
