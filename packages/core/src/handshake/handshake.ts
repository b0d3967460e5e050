import {
  type Attributes,
  type Context,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
} from '@opentelemetry/api'
import { runInContext } from '../api/context.ts'
import { endSpan, idsOf, isRecording, renameSpan, setAttribute, setAttributes, setStatus } from '../api/span.ts'
import { Connection } from '../connection/connection.ts'
import type { ConnectionFacts } from '../connection/identity.ts'
import type { ConnectionServices } from '../connection/services.ts'
import type { Expirable } from '../context/deadlines.ts'
import { SpanScope, spanOf } from '../context/span-scope.ts'
import type { UpgradeRequest } from '../options/types.ts'
import * as schema from '../schema.ts'
import type { Peer } from '../services/driver.ts'
import { errorType } from '../span/error-type.ts'
import { recordError } from '../span/failure.ts'
import { spanName } from '../span/names.ts'
import { Negotiation } from './negotiation.ts'
import { originalRequest } from './original.ts'
import { handshakeParent, transportParent } from './parent.ts'
import {
  type AnyUpgradeRequest,
  isEngineIoRequest,
  networkTransport,
  type OriginalRequest,
  requestAttributes,
} from './request.ts'
import { contextOf, newSight, type Sight } from './sight.ts'

/** Facts of an upgrade request that the adapter knows. */
export interface HandshakeOptions {
  /** The host's template of the request's route, if it is known already. */
  readonly route?: string | undefined
  /** True if the span is created later, by `start()` or at the outcome. */
  readonly deferred?: boolean
  /** True if it is not known yet which server the request is for, if any. The span is then created at the outcome. */
  readonly unclaimed?: boolean
  /** Called if the request is accepted while it is unclaimed, and not sent to Engine.IO's path. */
  readonly onAcceptedElsewhere?: ((request: AnyUpgradeRequest) => void) | undefined
  /** Status that accepts the request. Default 101; 200 for a connection over plain HTTP requests. */
  readonly acceptedWith?: number
  /** Name of the transport, for hosts that have several. */
  readonly transport?: string
  /** Set if the request opens a namespace over a connection that exists, and is no HTTP request itself. */
  readonly join?: NamespaceJoin
}

/** A request to open a namespace. */
export interface NamespaceJoin {
  /** `undefined` if the host has no namespace of the requested name. */
  readonly namespace: string | undefined
  /** The handshake span of the connection that the request came over, if it has one. */
  readonly transportSpan: SpanContext | undefined
  /** The connection continues an earlier one of the same client. */
  readonly recovered?: boolean
}

/** The telemetry of a server, or what belongs to it. */
interface ServicesOwner {
  readonly services: ConnectionServices
}

/** Characters of an error's message that are recorded. */
const MAX_MESSAGE_LENGTH = 256

/** Outcome of an upgrade request. */
export type HandshakeOutcome = 'accepted' | 'rejected' | 'abandoned'

/** The context of code that runs before the answer. Timers that the host creates then keep it. */
export class HandshakeScope extends SpanScope {
  end(time: number): void {
    const { span } = this
    this.releaseSpan()
    endSpan(span, time)
  }
}

/** One opening handshake, from the upgrade request to its answer. It has one outcome; later ones are ignored. */
export class Handshake implements Expirable {
  readonly services: ConnectionServices
  readonly request: AnyUpgradeRequest
  readonly #options: HandshakeOptions
  readonly #negotiation: Negotiation
  readonly #sight: Sight
  #route: string | undefined
  #outcome: HandshakeOutcome | undefined
  #original: OriginalRequest | undefined
  #isDiscarded = false
  #isReserved = false
  #outerContext: (() => Context | undefined) | undefined
  #onAnswer: ((status: number) => void) | undefined
  #scope: HandshakeScope | undefined
  #knownPeer: Peer | undefined

  /** @param before the unclaimed handshake of the same request, which this one replaces */
  constructor(services: ConnectionServices, request: AnyUpgradeRequest, options: HandshakeOptions, before?: Handshake) {
    this.services = services
    this.request = request
    this.#route = options.route
    this.#options = options
    this.#sight = before === undefined ? newSight() : before.#sight
    this.#negotiation =
      before?.services === services ? before.#negotiation : new Negotiation(request, options.join !== undefined)
    if (options.unclaimed) this.#extractContext()
    else if (options.deferred !== true) this.start()
  }

  get route(): string | undefined {
    return this.#route
  }

  /** `undefined` while the request is not answered. */
  get outcome(): HandshakeOutcome | undefined {
    return this.#outcome
  }

  /** True if option `ignore` excludes the request, which was known only after the request had been seen. */
  get discarded(): boolean {
    return this.#isDiscarded
  }

  /** True until a server takes the request: `startHandshake` then replaces this handshake. */
  get unclaimed(): boolean {
    return this.#options.unclaimed === true
  }

  /** True if one adapter has taken the connection for itself, so that others that see the request ignore it. */
  get reserved(): boolean {
    return this.#isReserved
  }

  /** True if the span becomes a child of another instrumentation's span, see {@link startUnder}. */
  get hasOuterContext(): boolean {
    return this.#outerContext !== undefined
  }

  /** The handshake's span, until it has ended. */
  get span(): Span | undefined {
    return this.#scope?.span
  }

  /** The span's ids, also after it has ended. */
  get spanContext(): SpanContext | undefined {
    return this.#scope === undefined ? undefined : idsOf(spanOf(this.#scope))
  }

  /** Discards the handshake: option `ignore` excludes the request. Call it before the span is created. */
  discard(): void {
    this.#isDiscarded = true
    this.services.deadlines.delete(this)
  }

  /** Has other adapters that see the request ignore it: the caller takes the connection. */
  reserve(): void {
    this.#isReserved = true
  }

  /**
   * Makes the span a child of another instrumentation's span for the same request.
   *
   * @param outerContext returns the context of that span, when the handshake's span is created
   */
  startUnder(outerContext: () => Context | undefined): void {
    this.#outerContext = outerContext
  }

  /**
   * Sets the original request as the host knows it by its own trust in proxies. Option `trustProxy` takes precedence.
   * Call it before the span is created.
   */
  setOriginal(original: OriginalRequest): void {
    this.#original = original
  }

  /** Sets the other end of the connection, for hosts that know it only when they accept the request. */
  setPeer(peer: Peer): void {
    this.#knownPeer = peer
    const { span } = this
    if (isRecording(span) && !this.#isNested) this.#describePeer(span)
  }

  /** Calls back once with the outer context and the status of the answer, for handshakes with {@link startUnder}. */
  onAnswer(callback: (outer: Context | undefined, status: number) => void): void {
    const outerContext = this.#outerContext
    if (outerContext !== undefined) this.#onAnswer = (status) => callback(outerContext(), status)
  }

  /** Creates the span, if that was deferred: under the outer instrumentation's span, else under the active one. */
  start(): void {
    const { services } = this
    if (this.#scope !== undefined || services.tracer === undefined || this.#isDiscarded) return
    const active = this.#outerContext?.() ?? contextOf(this.#sight, this.unclaimed)
    this.#original = this.#originalRequest()
    const { context: parent, links } = this.#parent(active)
    const options = {
      kind: this.#kind(parent),
      attributes: this.#startAttributes(),
      links,
      startTime: this.#sight.startedAt,
    }
    const span = services.startSpan(this.#name(), options, parent)
    if (span === undefined) return
    this.#scope = new HandshakeScope(parent, span)
    services.deadlines.add(this)
    if (isRecording(span) && !this.#isNested) this.#describe(span)
  }

  /** The request has not been answered for too long, or the process stops: ends the span without an outcome. */
  expire(reason: 'age' | 'shutdown'): void {
    setAttribute(this.span, schema.ATTR_WEBSOCKET_SPAN_ENDED_BY, reason)
    this.#scope?.end(this.#sight.startedAt + (performance.now() - this.#sight.startTime))
  }

  /**
   * Runs `fn` with the handshake's span active, until the outcome is known. While the request is unclaimed there is no span:
   * `fn` runs in the context that the client sent.
   */
  run<R>(fn: () => R): R {
    const scope = this.#scope?.ended === false ? this.#scope : this.unclaimed ? this.#sight.remote : undefined
    return scope === undefined ? fn() : runInContext(scope, fn)
  }

  /**
   * Accepts context in messages if the client offered it in a header. Returns the value of header `otel-ws`, which the
   * adapter must add to the 101 response; `undefined` if there is nothing to accept.
   */
  acceptHeader(by: ServicesOwner = this): string | undefined {
    if (this.#outcome !== undefined || this.#isDiscarded || this.#isReserved) return undefined
    return this.#negotiation.acceptHeader(by.services)
  }

  /**
   * Answers an offer of context in messages in the query, as clients make it that cannot set headers. Returns the text
   * that the adapter must send first on the new connection, uncounted; `undefined` if there is nothing to answer. While
   * `awaitsConfirmation` of the connection, the adapter passes received texts to its `confirms`.
   */
  helloMessage(connection: Connection): string | undefined {
    return this.#negotiation.helloMessage(connection)
  }

  /** Sets the route, which became known after the request was seen. */
  setRoute(route: string): void {
    if (route === this.#route) return
    this.#route = route
    const { span } = this
    if (span === undefined) return
    renameSpan(span, this.#name())
    setAttributes(span, this.#routeAttributes())
  }

  /**
   * The 101 was written: ends the span and returns the connection, which the adapter stores on its socket.
   *
   * @param by telemetry of the server that accepted the request, if another one saw it first
   */
  accept(socket: unknown, facts: ConnectionFacts = {}, { services }: ServicesOwner = this): Connection {
    const route =
      facts.route ??
      (services === this.services ? this.#route : services.routeOf(this.request as UpgradeRequest, undefined))
    if (route !== undefined) this.setRoute(route)
    this.start()
    const subprotocol = services.subprotocolLabel(facts.subprotocol)
    const { spanContext } = this
    const attributes = facts.attributes ?? services.connectionAttributes(this.request as UpgradeRequest)
    const connection = new Connection(services, socket, { ...facts, route, subprotocol, attributes }, spanContext)
    if (this.#options.join === undefined) connection.chooseProtocol(this.request as UpgradeRequest)
    this.#negotiation.applyTo(connection)
    const transport = networkTransport(this.request)
    if (transport !== 'tcp') connection.setNetworkTransport(transport)
    if (isRecording(this.span)) setAttributes(this.span, connection.identity())
    this.#settle('accepted', this.#acceptedWith, undefined, connection.series.attributes)
    connection.opened()
    return connection
  }

  /** The 101 was written by code that is not traced: the request is discarded, unless an adapter has taken it. */
  acceptedElsewhere(): void {
    if (!this.#isReserved && this.#scope === undefined && !this.#isDiscarded) {
      this.discard()
      if (!isEngineIoRequest(this.request)) this.#options.onAcceptedElsewhere?.(this.request)
    }
    this.#settle('accepted', this.#acceptedWith, undefined)
  }

  /** The request was answered with another status. */
  reject(status: number, error?: unknown): void {
    this.#settle('rejected', status, error)
  }

  /** The server, or a hook of it, threw and did not answer the request. */
  fail(error: unknown): void {
    this.#settle('rejected', undefined, error)
  }

  /**
   * The server refused the request on purpose: the span's status stays unset below 500.
   *
   * @param type value of `error.type`, of low cardinality
   * @param message what the application said of it
   */
  refuse(status: number | undefined, type: string, message?: string): void {
    if (this.#outcome === undefined && !this.#isDiscarded) {
      this.start()
      const { span } = this
      if (isRecording(span) && this.#isNested) this.#describePeer(span)
      if (message !== undefined && message !== '') {
        setAttribute(span, schema.ATTR_ERROR_MESSAGE, message.slice(0, MAX_MESSAGE_LENGTH))
      }
    }
    this.#settle('rejected', status, undefined, undefined, type)
  }

  /**
   * The connection ended before an answer was written.
   *
   * @param by the end that closed it
   */
  abandon(by: 'local' | 'remote', error?: unknown): void {
    if (this.#outcome !== undefined) return
    this.#settle('abandoned', undefined, error, undefined, undefined, by)
  }

  #extractContext(): void {
    if (this.services.tracer === undefined) return
    const parent = this.#parent(this.#sight.base).context
    if (parent !== this.#sight.base) this.#sight.remote = parent
  }

  get #acceptedWith(): number | undefined {
    return this.#options.join === undefined ? (this.#options.acceptedWith ?? 101) : undefined
  }

  /** True if the request came over a connection that has a handshake span. */
  get #isNested(): boolean {
    return this.#options.join?.transportSpan !== undefined
  }

  #parent(active: Context) {
    const transportSpan = this.#options.join?.transportSpan
    if (transportSpan !== undefined) return transportParent(active, transportSpan)
    const { services } = this
    const trust = this.#negotiation.trust(services)
    return handshakeParent(this.request, active, trust, this.#negotiation.takesBaggage(services))
  }

  /** INTERNAL if another SERVER span covers the same request. */
  #kind(parent: Context): SpanKind {
    const outer = spanOf(parent) as (Span & { kind?: SpanKind }) | undefined
    const isInner = this.#isNested || (outer?.kind === SpanKind.SERVER && isRecording(outer))
    return isInner ? SpanKind.INTERNAL : SpanKind.SERVER
  }

  #startAttributes(): Attributes {
    if (this.#isNested) return this.#routeAttributes()
    const scheme = this.#acceptedWith === 200 ? 'http' : 'ws'
    return {
      ...requestAttributes(this.request, scheme, this.services.redactor, this.#original),
      ...this.#routeAttributes(),
    }
  }

  #describe(span: Span): void {
    const { services } = this
    this.#describePeer(span)
    const { onHandshake } = services.options
    if (onHandshake === undefined) return
    const extra = services.callHook('onHandshake', onHandshake, span, this.request as UpgradeRequest)
    setAttributes(span, extra)
  }

  #describePeer(span: Span): void {
    const peer = this.#peer()
    const client = this.#original?.client ?? peer
    if (client.address !== undefined) setAttribute(span, schema.ATTR_CLIENT_ADDRESS, client.address)
    if (client.port !== undefined) setAttribute(span, schema.ATTR_CLIENT_PORT, client.port)
    if (client !== peer) {
      if (peer.address !== undefined) setAttribute(span, schema.ATTR_NETWORK_PEER_ADDRESS, peer.address)
      if (peer.port !== undefined) setAttribute(span, schema.ATTR_NETWORK_PEER_PORT, peer.port)
    }
  }

  #peer(): Peer {
    return this.#knownPeer ?? this.services.driver.peer?.(this.request as UpgradeRequest) ?? {}
  }

  #originalRequest(): OriginalRequest | undefined {
    const { trustProxy } = this.services.options
    if (trustProxy === undefined && this.#original !== undefined) return this.#original
    return originalRequest(this.request, trustProxy, () => this.#peer())
  }

  #settle(
    outcome: HandshakeOutcome,
    status: number | undefined,
    error: unknown,
    series?: Attributes,
    refusal?: string,
    abandonedBy?: 'local' | 'remote',
  ): void {
    // Engine.IO answers itself what is sent to its path.
    if (this.unclaimed && isEngineIoRequest(this.request)) this.discard()
    if (this.#outcome !== undefined || this.#isDiscarded) return
    this.start()
    this.services.deadlines.delete(this)
    this.#outcome = outcome
    if (status !== undefined) this.#onAnswer?.(status)
    const hasFailed = error !== undefined || (status !== undefined && status >= 500)
    const type = error !== undefined ? errorType(error) : (refusal ?? (hasFailed ? String(status) : undefined))
    this.#recordDuration(outcome, status, type, series)
    const { span } = this
    if (span === undefined) return
    const endTime = this.#sight.startedAt + (performance.now() - this.#sight.startTime)
    setAttribute(span, schema.ATTR_WEBSOCKET_HANDSHAKE_OUTCOME, outcome)
    if (abandonedBy !== undefined) setAttribute(span, schema.ATTR_WEBSOCKET_CLOSE_INITIATOR, abandonedBy)
    if (status !== undefined) setAttribute(span, schema.ATTR_HTTP_RESPONSE_STATUS_CODE, status)
    if (error !== undefined) recordError(span, error)
    else if (type !== undefined) {
      setAttribute(span, schema.ATTR_ERROR_TYPE, type)
      if (hasFailed) setStatus(span, { code: SpanStatusCode.ERROR })
    }
    this.#scope?.end(endTime)
  }

  #recordDuration(
    outcome: HandshakeOutcome,
    status: number | undefined,
    type: string | undefined,
    series?: Attributes,
  ): void {
    const { metrics } = this.services
    if (!metrics.recording) return
    const attributes: Attributes = { ...series, [schema.ATTR_WEBSOCKET_HANDSHAKE_OUTCOME]: outcome }
    this.#identify(attributes)
    if (status !== undefined) attributes[schema.ATTR_HTTP_RESPONSE_STATUS_CODE] = status
    if (type !== undefined) attributes[schema.ATTR_ERROR_TYPE] = type
    metrics.handshakeDuration.record((performance.now() - this.#sight.startTime) / 1000, attributes, this.#scope)
  }

  #name(): string {
    return spanName(this.#options.join === undefined ? 'GET' : 'CONNECT', this.#route)
  }

  #routeAttributes(): Attributes {
    const attributes: Attributes = {}
    const { transport, join } = this.#options
    if (this.#route !== undefined && join === undefined) attributes[schema.ATTR_HTTP_ROUTE] = this.#route
    this.#identify(attributes)
    if (transport !== undefined) attributes[schema.ATTR_WEBSOCKET_TRANSPORT] = transport
    if (join?.recovered) attributes[schema.ATTR_WEBSOCKET_CONNECTION_RECOVERED] = true
    return attributes
  }

  #identify(attributes: Attributes): void {
    if (this.#route !== undefined) attributes[schema.ATTR_WEBSOCKET_ROUTE] = this.#route
    const namespace = this.#options.join?.namespace
    if (namespace !== undefined) attributes[schema.ATTR_WEBSOCKET_NAMESPACE] = namespace
  }
}
