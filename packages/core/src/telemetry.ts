import { metrics, type Tracer, trace } from '@opentelemetry/api'
import { type Broadcast, startBroadcast } from './broadcast/broadcast.ts'
import { type Delivery, startDelivery } from './broadcast/delivery.ts'
import { type Audience, isAudienceIgnored } from './broadcast/fanout-span.ts'
import { Connection, type ConnectionFacts } from './connection/connection.ts'
import { Heartbeat } from './connection/heartbeat.ts'
import { SpanDeadlines } from './context/deadlines.ts'
import { isNativePromise } from './context/promises.ts'
import { Handshake, type HandshakeOptions } from './handshake/handshake.ts'
import { type MetricSet, metricSet } from './metrics/set.ts'
import { createQueryRedactor } from './options/redact.ts'
import { type ResolvedOptions, resolveOptions } from './options/resolve.ts'
import { SELECTOR_HEAD_BYTES, SELECTOR_TAIL_BYTES, select } from './options/selector.ts'
import type { IgnoreSubject, TelemetryOptions, UpgradeRequest } from './options/types.ts'
import { SendBatch } from './outgoing/batch.ts'
import { forceFlush, globalTracer } from './services/providers.ts'
import { Diagnostics } from './span/diagnostics.ts'
import { BoundedNames, type MessageName, messageName, otherName } from './span/names.ts'

/** Name and version of the adapter: the instrumentation scope of its spans and metrics. */
export interface Scope {
  readonly name: string
  readonly version: string
}

/** What core needs done by the host. One object of plain functions per adapter; nothing of it is made per connection. */
export interface HostDriver<Socket, Data = unknown> {
  /** Text of the payload's bytes from `start` to `end`; either may be cut inside a character. */
  text(data: Data, start: number, end: number): string
  /** Bytes accepted for sending and not yet handed to the kernel. */
  bufferedAmount(socket: Socket): number
  /** Sends a ping, when the host's protocol has pings. */
  ping?(socket: Socket, payload: string): void
  /** Cuts the connection. */
  terminate?(socket: Socket): void
  /** Gives the socket of a connection that stays open its own methods back. */
  release?(socket: Socket): void
}

/** Members of a set of names. */
export interface RegisteredNames {
  has(name: string): boolean
}

/** Calls of an unobserved connection between two looks for an SDK that was registered late. */
const REFRESH_EVERY = 16

/**
 * The author's door to one instrumented host: resolved options, tracer and instruments, made once per server.
 *
 * @throws OptionError for wrong options
 */
export function createTelemetry<Socket, Data>(
  options: TelemetryOptions | undefined,
  scope: Scope,
  driver: HostDriver<Socket, Data>,
): Telemetry {
  return new Telemetry(resolveOptions(options), scope, driver as HostDriver<unknown>)
}

export class Telemetry {
  readonly options: ResolvedOptions
  readonly scope: Scope
  readonly driver: HostDriver<unknown>
  readonly deadlines: SpanDeadlines
  readonly sendBatch: SendBatch
  readonly heartbeat: Heartbeat | undefined
  /** Names that the application has handlers for, where the host knows them: others that come in are `_OTHER`. */
  registeredNames: RegisteredNames | undefined
  readonly redactQuery: (query: string) => string
  readonly #diagnostics = new Diagnostics()
  readonly #names: BoundedNames
  readonly #routes = new BoundedNames(1000, 256)
  readonly #subprotocols = new BoundedNames(32, 64)
  readonly #unnamed = new Map<string | undefined, MessageName>()
  #tracer: Tracer | undefined
  #metrics: MetricSet
  #looks = 0

  constructor(options: ResolvedOptions, scope: Scope, driver: HostDriver<unknown>) {
    this.options = options
    this.scope = scope
    this.driver = driver
    this.deadlines = new SpanDeadlines(options.maxConnectionSpanAge)
    this.sendBatch = new SendBatch(this)
    this.redactQuery = createQueryRedactor(options.redactQuery)
    this.#names = new BoundedNames(options.maxMessageNames, options.maxMessageNameLength)
    this.#metrics = metricSet(scope, options.meterProvider)
    this.#refresh()
    if (options.heartbeatInterval !== undefined && driver.ping !== undefined) this.heartbeat = new Heartbeat(this)
  }

  /** The tracer, once an SDK is there. */
  get tracer(): Tracer | undefined {
    return this.#tracer
  }

  get metrics(): MetricSet {
    return this.#metrics
  }

  /**
   * True if spans or metrics are recorded. While false, only plain counters are incremented, and every
   * {@link REFRESH_EVERY} reads check again for an SDK that was registered late.
   */
  get active(): boolean {
    if (this.#tracer !== undefined || this.#metrics.recording) return true
    if (++this.#looks % REFRESH_EVERY !== 0) return false
    this.#refresh()
    return this.#tracer !== undefined || this.#metrics.recording
  }

  /** Tells that an upgrade request was seen. `undefined` when option `ignore` leaves it alone. */
  handshake(request: UpgradeRequest, seam: HandshakeOptions = {}): Handshake | undefined {
    this.#refresh()
    const route = this.routeOf(request, seam.route)
    if (this.ignores({ kind: 'connection', route, request })) return undefined
    return new Handshake(this, request, route === seam.route ? seam : { ...seam, route })
  }

  /**
   * Tells that an upgrade request was seen whose route the host has yet to find. The adapter calls `routed` when it has.
   */
  unroutedHandshake(request: UpgradeRequest): Handshake {
    this.#refresh()
    return new Handshake(this, request, { deferred: true })
  }

  /** The host has found the route of a request: the handshake is told under it, or left alone by option `ignore`. */
  routed(handshake: Handshake, template: string | undefined): void {
    const route = this.routeOf(handshake.request, template)
    if (this.ignores({ kind: 'connection', route, request: handshake.request })) handshake.discard()
    else if (route !== undefined) handshake.setRoute(route)
  }

  /** The route of a request: the host's template, else what option `route` says. */
  routeOf(request: UpgradeRequest, template: string | undefined): string | undefined {
    const { route } = this.options
    if (template !== undefined) return template
    if (typeof route !== 'function') return route
    const value = this.callHook('route', route, request)
    return typeof value === 'string' && value !== '' ? this.#routes.label(value) : undefined
  }

  /** A subprotocol as an attribute. Hosts may accept whatever the client offers, so it is bounded. */
  subprotocolLabel(subprotocol: string | undefined): string | undefined {
    return subprotocol === undefined || subprotocol === '' ? undefined : this.#subprotocols.label(subprotocol)
  }

  ignores(subject: IgnoreSubject): boolean {
    const { ignore } = this.options
    if (ignore === undefined) return false
    if (typeof ignore === 'function') return this.callHook('ignore', ignore, subject) === true
    const patterns = subject.kind === 'connection' ? ignore.routes : ignore.messages
    const value = subject.kind === 'connection' ? subject.route : subject.name
    return value !== undefined && patterns?.some((pattern) => matches(pattern, value)) === true
  }

  /** The bounded name of a message whose name the host knows. */
  named(name: string): MessageName {
    return this.#names.bound(name)
  }

  /** The name of messages that have none, on this route. */
  unnamed(route: string | undefined): MessageName {
    let name = this.#unnamed.get(route)
    if (name === undefined) {
      name = messageName(undefined, route)
      this.#unnamed.set(route, name)
    }
    return name
  }

  /**
   * The name that option `messageName` finds in a payload.
   *
   * @param registered what is not among these is of the sender's own making, and no attribute
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
   * Starts a broadcast whose recipients show as the host hands it out: run the host's fan-out in it. `undefined` when
   * nobody would be told of it.
   */
  startBroadcast(audience: Audience, name: string): Broadcast | undefined {
    return !this.active || isAudienceIgnored(this, audience)
      ? undefined
      : startBroadcast(this, audience, this.named(name))
  }

  /**
   * Starts the delivery of a broadcast that another node has published: run the host's fan-out in it. `undefined` when
   * nobody would be told of it.
   *
   * @param carrier what `Broadcast.carrier()` gave on the other node; anything else counts as none
   */
  startDelivery(audience: Audience, name: string, carrier: unknown): Delivery | undefined {
    if (!this.active || isAudienceIgnored(this, audience)) return undefined
    return startDelivery(this, audience, this.named(name), carrier)
  }

  /**
   * Ends every span that is still open and asks the providers to flush. Connections go on being counted.
   */
  async shutdown(): Promise<void> {
    this.heartbeat?.stop()
    this.sendBatch.shutdown()
    this.deadlines.shutdown()
    const tracers = this.options.tracerProvider ?? trace.getTracerProvider()
    const meters = this.options.meterProvider ?? metrics.getMeterProvider()
    const flushes = await Promise.allSettled([
      forceFlush((tracers as { getDelegate?: () => unknown }).getDelegate?.() ?? tracers),
      forceFlush(meters),
    ])
    for (const flush of flushes) if (flush.status === 'rejected') this.#diagnostics.flushFailed(flush.reason)
  }

  /**
   * Takes telemetry away from every connection that is open: their sockets go on as if they had never been traced. Ends
   * every span that is still open.
   */
  release(): void {
    this.heartbeat?.stop()
    this.sendBatch.flush()
    this.deadlines.shutdown()
    for (const live of this.#metrics.connections()) {
      const connection = live as Connection
      if (connection.telemetry === this) connection.release()
    }
  }

  /**
   * Calls a hook of the user. A hook that throws is reported once under its name and changes nothing else: the call
   * returns `undefined`. A promise it returns is not awaited; its rejection is reported the same way.
   */
  callHook<A extends unknown[], R>(name: string, hook: (...args: A) => R, ...args: A): R | undefined {
    try {
      const result = hook(...args)
      if (isNativePromise(result)) result.catch((error: unknown) => this.#diagnostics.hookFailed(name, error))
      return result
    } catch (error) {
      this.#diagnostics.hookFailed(name, error)
      return undefined
    }
  }

  /** The record of a connection whose handshake and end nobody sees: for adapters that see its messages alone. */
  connection(socket: unknown, facts: ConnectionFacts): Connection {
    this.#refresh()
    return new Connection(this, socket, facts, undefined)
  }

  /** A peer sent something in a carrier's place that was not used. */
  carrierRejected(problem: string): void {
    this.#diagnostics.carrierRefused(problem)
  }

  /** Called for each connection that was accepted. */
  opened(connection: Connection): void {
    this.heartbeat?.add(connection)
  }

  closed(connection: Connection): void {
    this.heartbeat?.delete(connection)
  }

  #refresh(): void {
    const { name, version } = this.scope
    this.#metrics = metricSet(this.scope, this.options.meterProvider)
    const { tracerProvider } = this.options
    this.#tracer = tracerProvider === undefined ? globalTracer(name, version) : tracerProvider.getTracer(name, version)
  }
}

function matches(pattern: string | RegExp, value: string): boolean {
  if (typeof pattern === 'string') return pattern === value
  pattern.lastIndex = 0
  return pattern.test(value)
}
