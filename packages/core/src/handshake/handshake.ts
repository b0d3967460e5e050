import {
  type Attributes,
  type Context,
  context,
  type Link,
  propagation,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import { Connection, type ConnectionFacts } from '../connection/connection.ts'
import { randomId } from '../connection/random-id.ts'
import { recordError } from '../context/operation.ts'
import { SpanScope, spanOf, withoutSpan, withSpan } from '../context/span-scope.ts'
import { peerOf } from '../node/peer.ts'
import type { RemoteContext, UpgradeRequest } from '../options/types.ts'
import { acceptHeaderValue, helloMessage, requestedOffer } from '../propagation/negotiation.ts'
import { type PropagationTerms, propagationTerms } from '../propagation/terms.ts'
import * as schema from '../schema.ts'
import { errorType } from '../span/diagnostics.ts'
import { spanName } from '../span/names.ts'
import type { Telemetry } from '../telemetry.ts'

/** How an adapter comes to know of an upgrade request. */
export interface HandshakeOptions {
  /** The host's template for the request, when it is known already. */
  readonly route?: string | undefined
  /** The span is created later, by `start()` or at the outcome. */
  readonly deferred?: boolean
  /** Status that accepts the request. Default 101; a connection over plain HTTP requests is accepted with 200. */
  readonly acceptedWith?: number
  /** What carries the connection, of hosts that have several transports. */
  readonly transport?: string
  /** Set when the request opens a namespace over a connection that is there, and is no HTTP request itself. */
  readonly join?: NamespaceJoin
}

/** A request to open a namespace of a host that has them. */
export interface NamespaceJoin {
  /** `undefined` when the name is not one that the host knows. */
  readonly namespace: string | undefined
  /** The handshake of the connection that it comes over, when that was told. */
  readonly transportSpan: SpanContext | undefined
  /** The connection takes up where an earlier one of the same client ended. */
  readonly recovered?: boolean
}

/** What became of an upgrade request. */
export type HandshakeOutcome = 'accepted' | 'rejected' | 'abandoned'

/** The context of what runs before the answer. Timers that the host makes then live on in it. */
export class HandshakeScope extends SpanScope {
  end(time: number): void {
    const { span } = this
    this.releaseSpan()
    span?.end(time)
  }
}

/** One upgrade request, from the moment it was seen to its answer. Each has one outcome; later ones are ignored. */
export class Handshake {
  readonly telemetry: Telemetry
  readonly request: UpgradeRequest
  readonly #startTime = performance.now()
  /** The wall clock at the start, in whole milliseconds, as the SDK times the spans that it starts itself. */
  readonly #startedAt = Date.now()
  route: string | undefined
  outcome: HandshakeOutcome | undefined
  /** Left alone by option `ignore`, which was known only after the request had been seen. */
  discarded = false
  /** The context of another instrumentation's span for the same request, when the handshake is to stand under it. */
  outerContext: (() => Context | undefined) | undefined
  /** Called once with the status that the request was answered with. */
  onAnswer: ((status: number) => void) | undefined
  /** The adapter that told it takes the connection itself: others that see the request leave it alone. */
  reserved = false
  readonly #seam: HandshakeOptions
  #frame: HandshakeScope | undefined
  #trusted: { readonly by: Telemetry; readonly trust: RemoteContext | undefined } | undefined
  /** Id of the connection to be, when the answer to the request tells it. */
  #agreedId: string | undefined

  constructor(telemetry: Telemetry, request: UpgradeRequest, seam: HandshakeOptions) {
    this.telemetry = telemetry
    this.request = request
    this.route = seam.route
    this.#seam = seam
    if (seam.deferred !== true) this.start()
  }

  /** The handshake's span, until it has ended. */
  get span(): Span | undefined {
    return this.#frame?.span
  }

  /** The ids of the span, also once it has ended. */
  get spanContext(): SpanContext | undefined {
    return this.#frame === undefined ? undefined : spanOf(this.#frame)?.spanContext()
  }

  /** Creates the span, if that was deferred: under the enclosing instrumentation's, else under the one that is active now. */
  start(): void {
    const { tracer } = this.telemetry
    if (this.#frame !== undefined || tracer === undefined || this.discarded) return
    const active = this.outerContext?.() ?? context.active()
    const over = this.#seam.join?.transportSpan
    const { parent, links } = over === undefined ? this.#remote(active) : within(active, over)
    const enclosing = spanOf(parent) as (Span & { kind?: SpanKind; isRecording(): boolean }) | undefined
    const isEnclosed = over !== undefined || (enclosing?.kind === SpanKind.SERVER && enclosing.isRecording())
    const kind = isEnclosed ? SpanKind.INTERNAL : SpanKind.SERVER
    const attributes =
      over === undefined ? requestAttributes(this.request, this.#acceptedWith === 200, this.telemetry.redactQuery) : {}
    this.#setRoute(attributes)
    const span = tracer.startSpan(this.#name(), { kind, attributes, links, startTime: this.#startedAt }, parent)
    this.#frame = new HandshakeScope(parent, span)
    const hook = this.telemetry.options.onHandshake
    if (!span.isRecording() || over !== undefined) return
    const peer = peerOf(this.request)
    if (peer.address !== undefined) span.setAttribute(schema.ATTR_CLIENT_ADDRESS, peer.address)
    if (peer.port !== undefined) span.setAttribute(schema.ATTR_CLIENT_PORT, peer.port)
    if (hook !== undefined) {
      const extra = this.telemetry.callHook('onHandshake', hook, span, this.request)
      if (extra) span.setAttributes(extra)
    }
  }

  /** Runs `fn` with the handshake's span active, until its outcome is known. */
  run<A extends unknown[], R>(fn: (...args: A) => R, ...args: A): R {
    const frame = this.#frame
    return frame === undefined || frame.ended ? fn(...args) : context.with(frame, fn, undefined, ...args)
  }

  /**
   * Agrees to context in messages, when the client asked for it in a header. Returns the value of header `otel-ws` of the
   * 101, which the adapter must then write; `undefined` when there is nothing to agree to.
   */
  acceptHeader(telemetry: Telemetry = this.telemetry): string | undefined {
    if (this.outcome !== undefined || this.discarded || this.reserved) return undefined
    if (telemetry.options.propagation === 'off' || requestedOffer(this.request) !== 'header') return undefined
    this.#agreedId ??= randomId()
    return acceptHeaderValue(this.#agreedId)
  }

  /**
   * Agrees to context in messages, when the client asked for it in the query, as one must that can set no headers. Returns
   * the text that the adapter must send on the new connection before anything of the application's, uncounted;
   * `undefined` when there is nothing to agree to.
   */
  helloMessage(connection: Connection): string | undefined {
    const { telemetry } = connection
    if (this.#agreedId !== undefined || telemetry.options.propagation === 'off') return undefined
    if (requestedOffer(this.request) !== 'query') return undefined
    connection.acceptTerms(this.#agreement(telemetry))
    return helloMessage(connection.id)
  }

  /** Leaves the request alone after all. Call it before the span is created. */
  discard(): void {
    this.discarded = true
  }

  /** The route became known after the request was seen. */
  setRoute(route: string): void {
    if (route === this.route) return
    this.route = route
    const { span } = this
    if (span === undefined) return
    const attributes: Attributes = {}
    this.#setRoute(attributes)
    span.updateName(this.#name()).setAttributes(attributes)
  }

  /**
   * The connection is open: the 101 was written. Returns its record, which the adapter stores on the socket.
   *
   * @param telemetry of the server that took the request, when that is not the one that saw it first
   */
  accept(socket: unknown, facts: ConnectionFacts = {}, telemetry: Telemetry = this.telemetry): Connection {
    const route =
      facts.route ?? (telemetry === this.telemetry ? this.route : telemetry.routeOf(this.request, undefined))
    if (route !== undefined) this.setRoute(route)
    this.start()
    const subprotocol = telemetry.subprotocolLabel(facts.subprotocol)
    const spanContext = this.span?.spanContext()
    const connection = new Connection(telemetry, socket, { ...facts, route, subprotocol }, spanContext)
    if (this.#agreedId !== undefined) connection.acceptTerms(this.#agreement(telemetry), this.#agreedId)
    else if (telemetry.options.propagation === 'always') {
      connection.acceptTerms(this.#agreement(telemetry, telemetry.options.carrierName))
    }
    if (telemetry.options.messageContext !== undefined) connection.setForeignTerms(this.#agreement(telemetry))
    if (this.span?.isRecording()) this.span.setAttributes(connection.identity())
    this.#settle('accepted', this.#acceptedWith, undefined, connection.series.attributes)
    connection.opened()
    return connection
  }

  /** The 101 was written by a server that is not traced: the handshake has its outcome, the connection is another's. */
  acceptedElsewhere(): void {
    this.#settle('accepted', this.#acceptedWith, undefined)
  }

  /** The request was answered with another status. */
  reject(status: number, error?: unknown): void {
    this.#settle('rejected', status, error)
  }

  /**
   * The request was turned down, as servers do: no error of this side's.
   *
   * @param type why, of low cardinality: `error.type`
   */
  refuse(status: number | undefined, type: string): void {
    this.#settle('rejected', status, undefined, undefined, type)
  }

  /** The connection ended before an answer was written. `by` tells who ended it. */
  abandon(by: 'local' | 'remote', error?: unknown): void {
    if (this.outcome !== undefined) return
    this.start()
    this.span?.setAttribute(schema.ATTR_WEBSOCKET_CLOSE_INITIATOR, by)
    this.#settle('abandoned', undefined, error)
  }

  get #acceptedWith(): number | undefined {
    return this.#seam.join === undefined ? (this.#seam.acceptedWith ?? 101) : undefined
  }

  #settle(
    outcome: HandshakeOutcome,
    status: number | undefined,
    error: unknown,
    series?: Attributes,
    refusal?: string,
  ): void {
    if (this.outcome !== undefined || this.discarded) return
    this.start()
    this.outcome = outcome
    if (status !== undefined) this.onAnswer?.(status)
    const failed = error !== undefined || (status !== undefined && status >= 500)
    const type = error !== undefined ? errorType(error) : (refusal ?? (failed ? String(status) : undefined))
    this.#recordDuration(outcome, status, type, series)
    const { span } = this
    if (span === undefined) return
    const endTime = this.#startedAt + (performance.now() - this.#startTime)
    span.setAttribute(schema.ATTR_WEBSOCKET_HANDSHAKE_OUTCOME, outcome)
    if (status !== undefined) span.setAttribute(schema.ATTR_HTTP_RESPONSE_STATUS_CODE, status)
    if (error !== undefined) recordError(span, error)
    else if (type !== undefined) {
      span.setAttribute(schema.ATTR_ERROR_TYPE, type)
      if (failed) span.setStatus({ code: SpanStatusCode.ERROR })
    }
    this.#frame?.end(endTime)
  }

  #recordDuration(outcome: string, status: number | undefined, type: string | undefined, series?: Attributes): void {
    const { metrics } = this.telemetry
    if (!metrics.recording) return
    const attributes: Attributes = { ...series, [schema.ATTR_WEBSOCKET_HANDSHAKE_OUTCOME]: outcome }
    this.#identify(attributes)
    if (status !== undefined) attributes[schema.ATTR_HTTP_RESPONSE_STATUS_CODE] = status
    if (type !== undefined) attributes[schema.ATTR_ERROR_TYPE] = type
    metrics.handshakeDuration.record((performance.now() - this.#startTime) / 1000, attributes, this.#frame)
  }

  #name(): string {
    return spanName(this.#seam.join === undefined ? 'GET' : 'CONNECT', this.route)
  }

  #setRoute(attributes: Attributes): void {
    if (this.route !== undefined && this.#seam.join === undefined) attributes[schema.ATTR_HTTP_ROUTE] = this.route
    this.#identify(attributes)
    const { transport, join } = this.#seam
    if (transport !== undefined) attributes[schema.ATTR_WEBSOCKET_TRANSPORT] = transport
    if (join?.recovered) attributes[schema.ATTR_WEBSOCKET_CONNECTION_RECOVERED] = true
  }

  #identify(attributes: Attributes): void {
    if (this.route !== undefined) attributes[schema.ATTR_WEBSOCKET_ROUTE] = this.route
    const namespace = this.#seam.join?.namespace
    if (namespace !== undefined) attributes[schema.ATTR_WEBSOCKET_NAMESPACE] = namespace
  }

  /** What the user has a server take this peer's context for: a function of the user's is asked once. */
  #trust(telemetry: Telemetry): RemoteContext | undefined {
    const { remoteContext = 'parent' } = telemetry.options
    if (typeof remoteContext !== 'function') return remoteContext
    if (this.#trusted?.by !== telemetry) {
      const trust = telemetry.callHook('remoteContext', remoteContext, this.request)
      this.#trusted = { by: telemetry, trust }
    }
    return this.#trusted.trust
  }

  /** The terms on which the messages of this connection have context. */
  #agreement(telemetry: Telemetry, name?: string): PropagationTerms {
    const trust = this.#trust(telemetry)
    const known = trust === 'parent' || trust === 'link' ? trust : 'ignore'
    const sendsBaggage = known === 'parent' && telemetry.options.remoteContext !== undefined
    return propagationTerms(known, this.#takesBaggage(telemetry), sendsBaggage, name)
  }

  /** Whoever opens a page can send what he likes: a browser's baggage is taken only where that was asked for. */
  #takesBaggage(telemetry: Telemetry): boolean {
    if (this.#trust(telemetry) !== 'parent') return false
    if (telemetry.options.remoteContext !== undefined) return true
    // What browsers send has an origin.
    return this.request.headers['origin'] === undefined && requestedOffer(this.request) !== 'query'
  }

  /** What the peer's trace context is to us: it comes in headers, or in the query for browsers, which cannot set headers. */
  #remote(active: Context): { parent: Context; links: Link[] } {
    const trust = this.#trust(this.telemetry)
    const enclosing = spanOf(active)
    const spanContext = trust === 'parent' || trust === 'link' ? remoteSpanContext(this.request) : undefined
    if (spanContext === undefined) return { parent: active, links: [] }
    // A span of this process that is active already has dealt with the headers.
    if (enclosing !== undefined && trace.isSpanContextValid(enclosing.spanContext()))
      return { parent: active, links: [] }
    if (trust === 'link') {
      return {
        parent: active,
        links: [{ context: spanContext, attributes: { [schema.ATTR_WEBSOCKET_LINK_KIND]: 'message' } }],
      }
    }
    const extracted = extract(active, this.request)
    const base = this.#takesBaggage(this.telemetry) ? extracted : withBaggageOf(extracted, active)
    return { parent: withSpan(base, trace.wrapSpanContext(spanContext)), links: [] }
  }
}

/** A child of a span that may have ended already. */
function within(active: Context, over: SpanContext): { parent: Context; links: Link[] } {
  return { parent: withSpan(withoutSpan(active), trace.wrapSpanContext(over)), links: [] }
}

const PROPAGATION_KEYS = ['traceparent', 'tracestate', 'baggage']
const MAX_CARRIER_LENGTH = 8192

function extract(base: Context, request: UpgradeRequest): Context {
  try {
    const fromHeaders = propagation.extract(base, request.headers)
    if (spanOf(fromHeaders) !== undefined && spanOf(fromHeaders) !== spanOf(base)) return fromHeaders
    const query = carrierFromQuery(request.url)
    return query === undefined ? fromHeaders : propagation.extract(fromHeaders, query)
  } catch {
    return base
  }
}

function withBaggageOf(base: Context, model: Context): Context {
  const baggage = propagation.getBaggage(model)
  return baggage === undefined ? propagation.deleteBaggage(base) : propagation.setBaggage(base, baggage)
}

function remoteSpanContext(request: UpgradeRequest) {
  const span = spanOf(extract(ROOT_CONTEXT, request))
  const spanContext = span?.spanContext()
  return spanContext !== undefined && trace.isSpanContextValid(spanContext) ? spanContext : undefined
}

function carrierFromQuery(url: string | undefined): Record<string, string> | undefined {
  const at = url?.indexOf('?') ?? -1
  if (url === undefined || at === -1 || url.length > MAX_CARRIER_LENGTH || !url.includes('traceparent=', at))
    return undefined
  const parameters = new URLSearchParams(url.slice(at + 1))
  const carrier: Record<string, string> = {}
  for (const key of PROPAGATION_KEYS) {
    const value = parameters.get(key)
    if (value !== null) carrier[key] = value
  }
  return carrier
}

function requestAttributes(request: UpgradeRequest, isPlain: boolean, redact: (query: string) => string): Attributes {
  const attributes: Attributes = {
    [schema.ATTR_HTTP_REQUEST_METHOD]: request.method ?? 'GET',
    [schema.ATTR_URL_SCHEME]: `${isPlain ? 'http' : 'ws'}${request.socket?.encrypted === true ? 's' : ''}`,
  }
  const url = request.url
  if (typeof url === 'string') {
    const at = url.indexOf('?')
    attributes[schema.ATTR_URL_PATH] = at === -1 ? url : url.slice(0, at)
    if (at !== -1 && at < url.length - 1) attributes[schema.ATTR_URL_QUERY] = redact(url.slice(at + 1))
  }
  const host = request.headers['host']
  if (typeof host === 'string') {
    const match = /^(.*?)(?::(\d{1,5}))?$/.exec(host)
    if (match?.[1]) attributes[schema.ATTR_SERVER_ADDRESS] = match[1]
    if (match?.[2]) attributes[schema.ATTR_SERVER_PORT] = Number(match[2])
  }
  const agent = request.headers['user-agent']
  if (typeof agent === 'string') attributes[schema.ATTR_USER_AGENT_ORIGINAL] = agent.slice(0, 1024)
  return attributes
}
