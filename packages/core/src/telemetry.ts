import { metrics, trace } from '@opentelemetry/api'
import { type Broadcast, startBroadcast } from './broadcast/broadcast.ts'
import { type Delivery, startDelivery } from './broadcast/delivery.ts'
import { type Audience, isAudienceIgnored } from './broadcast/fanout-span.ts'
import { Connection } from './connection/connection.ts'
import type { ConnectionFacts } from './connection/identity.ts'
import { ConnectionServices } from './connection/services.ts'
import { withTimeout } from './context/deadlines.ts'
import { Handshake, type HandshakeOptions } from './handshake/handshake.ts'
import type { AnyUpgradeRequest } from './handshake/request.ts'
import { unclaimedHandshakeOf } from './handshake/store.ts'
import { differingOptions } from './options/difference.ts'
import { type ResolvedOptions, resolveOptions } from './options/resolve.ts'
import type { TelemetryOptions, UpgradeRequest } from './options/types.ts'
import type { HostDriver, Scope } from './services/driver.ts'
import { forceFlush } from './services/providers.ts'
import { warn } from './span/diagnostics.ts'

/**
 * Creates the telemetry of one instrumented host: validates its options and creates its tracer and instruments. Call it
 * once per server.
 *
 * @throws OptionError for wrong options
 */
export function createTelemetry<Socket, Data>(
  options: TelemetryOptions | undefined,
  scope: Scope,
  driver: HostDriver<Socket, Data>,
): Telemetry {
  return new Telemetry(new ConnectionServices(resolveOptions(options), scope, driver as HostDriver<unknown>))
}

/** The port for adapters: creates handshakes, connections, broadcasts and deliveries of one host. */
export class Telemetry {
  readonly services: ConnectionServices

  constructor(services: ConnectionServices) {
    this.services = services
  }

  get options(): ResolvedOptions {
    return this.services.options
  }

  /** Starts the handshake of an upgrade request; `undefined` if option `ignore` excludes it. */
  handshake(request: AnyUpgradeRequest, options: HandshakeOptions = {}): Handshake | undefined {
    const { services } = this
    services.refresh()
    const route = services.routeOf(request as UpgradeRequest, options.route)
    if (services.ignores({ kind: 'connection', route, request: request as UpgradeRequest })) return undefined
    const before = options.join === undefined ? unclaimedHandshakeOf(request) : undefined
    return new Handshake(services, request, route === options.route ? options : { ...options, route }, before)
  }

  /** As `handshake`, for hosts that find the route later: call `routed` then. The span is not created before. */
  unroutedHandshake(request: AnyUpgradeRequest): Handshake {
    this.services.refresh()
    return new Handshake(this.services, request, { deferred: true }, unclaimedHandshakeOf(request))
  }

  /**
   * Starts the handshake of an upgrade request that the host has not been given yet, and that may be for other code. It is
   * recorded at its outcome, without a route, if no server takes it and it is rejected or abandoned; `undefined` if option
   * `ignore` excludes it.
   *
   * @param onAcceptedElsewhere called if other code accepts the request
   */
  unclaimedHandshake(
    request: AnyUpgradeRequest,
    onAcceptedElsewhere?: (request: AnyUpgradeRequest) => void,
  ): Handshake | undefined {
    const { services } = this
    services.refresh()
    if (services.ignores({ kind: 'connection', route: undefined, request: request as UpgradeRequest })) return undefined
    return new Handshake(services, request, { unclaimed: true, onAcceptedElsewhere })
  }

  /** The host has found the route of a request. Discards the handshake if option `ignore` excludes it. */
  routed(handshake: Handshake, template: string | undefined): void {
    const { services } = this
    const request = handshake.request as UpgradeRequest
    const route = services.routeOf(request, template)
    if (services.ignores({ kind: 'connection', route, request })) handshake.discard()
    else if (route !== undefined) handshake.setRoute(route)
  }

  /** Creates a connection whose handshake and end are not visible, only its messages. */
  connection(socket: unknown, facts: ConnectionFacts): Connection {
    this.services.refresh()
    return new Connection(this.services, socket, facts, undefined)
  }

  /**
   * Takes over a connection that was open before its host was traced: it counts as active from now on, its spans have no
   * link to a handshake, and its close span says that the totals are partial. `undefined` if option `ignore` excludes it.
   *
   * @param age milliseconds since it was opened
   */
  adopt(socket: unknown, request: AnyUpgradeRequest, facts: ConnectionFacts, age: number): Connection | undefined {
    const { services } = this
    services.refresh()
    const route = services.routeOf(request as UpgradeRequest, facts.route)
    if (services.ignores({ kind: 'connection', route, request: request as UpgradeRequest })) return undefined
    const attributes = services.connectionAttributes(request as UpgradeRequest)
    const connection = new Connection(services, socket, { ...facts, route, attributes }, undefined)
    connection.adopted(age)
    return connection
  }

  /**
   * Starts a broadcast whose recipients become known during the host's fan-out: run that in it. `undefined` if neither a
   * span nor metrics are recorded.
   *
   * @param name default: a message without a name
   */
  startBroadcast(audience: Audience, name?: string): Broadcast | undefined {
    const { services } = this
    if (!services.active || isAudienceIgnored(services, audience)) return undefined
    return startBroadcast(services, audience, this.#nameOf(name, audience))
  }

  /**
   * Starts the delivery of a broadcast that another node has published: run the host's fan-out in it. `undefined` if
   * neither a span nor metrics are recorded.
   *
   * @param carrier result of `Broadcast.carrier()` on the other node; any other value counts as no carrier
   */
  startDelivery(audience: Audience, name: string | undefined, carrier: unknown): Delivery | undefined {
    const { services } = this
    if (!services.active || isAudienceIgnored(services, audience)) return undefined
    return startDelivery(services, audience, this.#nameOf(name, audience), carrier)
  }

  /** A connection has joined a room of the host, or has left it. */
  roomChanged({ route, namespace }: Audience, change: 'join' | 'leave'): void {
    const series = this.services.metrics.series(route, namespace, undefined)
    if (change === 'join') series.roomJoins++
    else series.roomLeaves++
  }

  /**
   * Ends every open span, synchronously: adapters call it when their host closes. What was recorded is exported by the
   * owner of the SDK. Connections are still counted afterwards.
   */
  end(): void {
    const { services } = this
    services.heartbeat?.stop()
    services.slowConsumers.stop()
    services.stopSearch()
    services.clock.stop()
    services.sendBatch.shutdown()
    services.endOperations()
    services.windows?.shutdown()
    services.deadlines.shutdown()
  }

  /**
   * Ends every open span and flushes the providers, for at most `shutdownTimeout`: for applications that ask for it. It
   * never rejects.
   */
  async shutdown(): Promise<void> {
    this.end()
    const { services } = this
    const tracers = services.options.tracerProvider ?? trace.getTracerProvider()
    const meters = services.options.meterProvider ?? metrics.getMeterProvider()
    const flushed = Promise.allSettled([
      forceFlush((tracers as { getDelegate?: () => unknown }).getDelegate?.() ?? tracers),
      forceFlush(meters),
    ])
    const { shutdownTimeout } = services.options
    const flushes = await withTimeout(flushed, shutdownTimeout)
    if (flushes === undefined) services.diagnostics.flushFailed(`it did not answer within ${shutdownTimeout} ms`)
    for (const flush of flushes ?? []) if (flush.status === 'rejected') services.diagnostics.flushFailed(flush.reason)
  }

  /**
   * Removes telemetry from every open connection: its socket gets its own methods back. Ends every open span.
   */
  release(): void {
    const { services } = this
    services.heartbeat?.stop()
    services.slowConsumers.stop()
    services.stopSearch()
    services.clock.stop()
    services.sendBatch.flush()
    services.deadlines.shutdown()
    for (const live of services.metrics.connections()) {
      const connection = live as Connection
      if (connection.services === services) connection.release()
    }
  }

  /**
   * Warns that a server is traced already, and names the options of this second call that are ignored.
   *
   * @param subject the server, as the start of a sentence
   * @param first the telemetry of the first call, if it is known
   */
  warnTracedAlready(subject: string, first: Telemetry | undefined): void {
    const ignored = first === undefined ? [] : differingOptions(first.options, this.options)
    const consequence = ignored.length === 0 ? '' : `; ignored: ${ignored.join(', ')}`
    warn(`${subject} is traced already: the options of the first call hold${consequence}`)
  }

  /**
   * Warns if options of a part of a server differ from those of the server.
   *
   * @param subject the part, as the start of a sentence
   */
  warnOwnOptions(subject: string, server: Telemetry): void {
    const own = differingOptions(server.options, this.options)
    if (own.length > 0) warn(`${subject} has options of its own, which hold there: ${own.join(', ')}`)
  }

  #nameOf(name: string | undefined, { route }: Audience) {
    return name === undefined ? this.services.unnamed(route) : this.services.named(name)
  }
}
