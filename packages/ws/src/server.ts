import type { EventEmitter } from 'node:events'
import type { Server as HttpServer } from 'node:http'
import type { Duplex } from 'node:stream'
import { OptionError, type TelemetryOptions } from '@otel-ws/core'
import {
  createTelemetry,
  type HandlerSpan,
  type Handshake,
  handshakeOf,
  PROTOCOL_NAME,
  storeConnection,
  type Telemetry,
  tracedConnection,
  warn,
  wrapMethod,
} from '@otel-ws/core/adapter'
import type { WebSocket, WebSocketServer } from 'ws'
import { dispatch, emitsPlainly, markPlain } from './dispatch.ts'
import { driver, sendFirst, traceSocket } from './socket.ts'
import { type Request, startHandshake, watchUpgrades } from './upgrade.ts'
import { SCOPE } from './version.ts'

/** Options of {@link traceWebSocketServer}. */
export interface WebSocketServerOptions extends TelemetryOptions {
  /**
   * Http server whose upgrade requests the application handles itself before it calls `handleUpgrade`, with option
   * `noServer` of `ws`. Requests that it rejects there are told only with this option.
   */
  server?: HttpServer
}

/** What stands behind a traced server. */
export interface TracedServer {
  /** Ends every span that is still open and flushes the SDK. Call it when the process stops. */
  shutdown(): Promise<void>
  /** Gives the server its own methods back. Connections that are open stay traced until they close. */
  restore(): void
}

type Accept = (socket: WebSocket, request: Request) => void
type HandleUpgrade = (this: WebSocketServer, request: Request, socket: Duplex, head: Buffer, accept: Accept) => void

const TRACED = Symbol.for('otel-ws.server')

/**
 * Traces a `ws` server: every handshake, connection, message, send, broadcast and close, in each of its modes (`port`,
 * `server`, `noServer`).
 *
 * @throws OptionError for wrong options, TypeError for what is no server
 */
export function traceWebSocketServer(wss: WebSocketServer, options: WebSocketServerOptions = {}): TracedServer {
  if (typeof wss?.handleUpgrade !== 'function')
    throw new TypeError('otel-ws: what is traced must be a WebSocketServer of ws')
  const telemetry = createTelemetry(withoutServer(options), SCOPE, driver)
  const { server } = options
  if (server !== undefined && typeof server.on !== 'function') throw new OptionError('server', 'must be an http server')
  const traced = traceServer(wss, telemetry)
  if (server === undefined || !telemetry.options.enabled) return traced
  const unwatch = watchUpgrades(server, (request) => telemetry.handshake(request))
  return {
    shutdown: traced.shutdown,
    restore() {
      unwatch()
      traced.restore()
    },
  }
}

/** The options that core knows; what is no object is left to it, which says so. */
function withoutServer(options: WebSocketServerOptions): TelemetryOptions {
  if (typeof options !== 'object' || options === null) return options
  const { server, ...others } = options
  return others
}

/** How an adapter on top of `ws` has a server traced. */
export interface TraceServerOptions {
  /** Another adapter tells the connection handler: not the listeners of `connection`. */
  readonly opensElsewhere?: boolean
  /** The template of all requests that the host gives to this server. */
  readonly route?: string | undefined
  /** Called when the host has taken a request and upgrades it. */
  readonly onUpgrade?: (handshake: Handshake) => void
}

/** Traces a server for an adapter that brings its own telemetry. */
export function traceServer(wss: WebSocketServer, telemetry: Telemetry, seams: TraceServerOptions = {}): TracedServer {
  const host = wss as WebSocketServer & { [TRACED]?: TracedServer }
  if (host[TRACED] !== undefined) {
    warn('this WebSocketServer is traced already: the second call has no effect')
    return host[TRACED]
  }
  const undo = telemetry.options.enabled ? install(wss, { telemetryOf: () => telemetry }, seams) : []
  const traced: TracedServer = {
    shutdown: () => telemetry.shutdown(),
    restore() {
      for (const step of undo.splice(0)) step()
      delete host[TRACED]
    },
  }
  Object.defineProperty(wss, TRACED, { value: traced, configurable: true, enumerable: false })
  return traced
}

type TelemetryOf = (request: Request) => Telemetry | undefined

/** What stands on the prototype of a class of servers that is traced. */
interface TracedClass {
  /** Who traces it, the latest last. */
  readonly tracers: TelemetryOf[]
  uninstall(): void
}

const CLASS = Symbol.for('otel-ws.server-class')

/**
 * Traces every server of a class, also those that exist already; one that is traced by itself keeps its own telemetry.
 * Of several who trace one class, the latest is asked.
 *
 * @param telemetryOf asked at each upgrade; `undefined` leaves the request alone
 * @returns a function that takes it back; with the last one, the class gets its own methods back
 */
export function traceServerClass(
  serverClass: { readonly prototype: WebSocketServer },
  telemetryOf: TelemetryOf,
): () => void {
  const host = serverClass.prototype as WebSocketServer & { [CLASS]?: TracedClass }
  const { tracers, uninstall } = host[CLASS] ?? installOnClass(host)
  tracers.push(telemetryOf)
  return () => {
    const index = tracers.lastIndexOf(telemetryOf)
    if (index >= 0) tracers.splice(index, 1)
    if (tracers.length === 0) uninstall()
  }
}

function installOnClass(prototype: WebSocketServer & { [CLASS]?: TracedClass }): TracedClass {
  const tracers: TelemetryOf[] = []
  const undo = install(prototype, {
    telemetryOf: (request) => tracers.at(-1)?.(request),
    isLeftOut: (wss) => tracers.length === 0 || (wss as { [TRACED]?: TracedServer })[TRACED] !== undefined,
  })
  function uninstall(): void {
    // A method of ours that somebody else has covered meanwhile stays where it is, and does nothing.
    for (const step of undo) step()
    delete prototype[CLASS]
  }
  const traced = { tracers, uninstall }
  Object.defineProperty(prototype, CLASS, { value: traced, configurable: true, enumerable: false })
  return traced
}
interface Source {
  /** Telemetry of an upgrade request; `undefined` leaves it alone. */
  telemetryOf(request: Request): Telemetry | undefined
  /** True for a server of a class that goes its way untouched. */
  isLeftOut?(wss: WebSocketServer): boolean
}

/**
 * Puts our methods in front of those of a server, or of a class of servers.
 *
 * @returns functions that take them away again
 */
function install(
  target: WebSocketServer,
  { telemetryOf, isLeftOut = () => false }: Source,
  seams: TraceServerOptions = {},
): (() => void)[] {
  const handleUpgrade = target.handleUpgrade as unknown as HandleUpgrade
  const { emit } = target
  const plain = emitsPlainly(target as unknown as EventEmitter)

  function tracedHandleUpgrade(
    this: WebSocketServer,
    request: Request,
    socket: Duplex,
    head: Buffer,
    accept: Accept,
  ): void {
    const telemetry = isLeftOut(this) ? undefined : telemetryOf(request)
    const route = telemetry && (seams.route ?? pathRoute(this, telemetry, request))
    const handshake = telemetry && startHandshake(request, socket, () => telemetry.handshake(request, { route }))
    if (handshake !== undefined && !handshake.reserved && seams.route !== undefined) telemetry?.routed(handshake, route)
    if (handshake === undefined || handshake.discarded || handshake.reserved) {
      handleUpgrade.call(this, request, socket, head, accept)
      return
    }
    if (route !== undefined) handshake.setRoute(route)
    if (seams.route !== undefined) handshake.start()
    seams.onUpgrade?.(handshake)
    // In the modes `port` and `server` of `ws`, the listeners are called through a function that was bound before us.
    const emitsItself = this.options.noServer !== true
    const accepted: Accept = (webSocket, acceptedRequest) => {
      if (tracedConnection(webSocket) === undefined) {
        const connection = handshake.accept(webSocket, { subprotocol: webSocket.protocol, route }, telemetry)
        storeConnection(acceptedRequest, connection)
        traceSocket(webSocket, connection)
        const hello = handshake.helloMessage(connection)
        if (hello !== undefined) sendFirst(webSocket, hello)
      }
      if (emitsItself && accept.name === 'bound emit') this.emit('connection', webSocket, acceptedRequest as never)
      else accept(webSocket, acceptedRequest)
    }
    handshake.run(() => handleUpgrade.call(this, request, socket, head, accepted))
  }

  function emitConnection(_: HandlerSpan, server: WebSocketServer, socket: unknown, request: unknown): boolean {
    return emit.call(server, 'connection', socket as never, request as never)
  }

  function tracedEmit(this: WebSocketServer, type: string | symbol, a?: unknown, b?: unknown): boolean {
    if (type === 'headers') {
      const heard = emit.apply(this, arguments as unknown as Parameters<WebSocketServer['emit']>)
      if (!isLeftOut(this)) agree(a, b as Request)
      return heard
    }
    const opens = type === 'connection' && seams.opensElsewhere !== true
    const isTold = opens && typeof a === 'object' && a !== null && !isLeftOut(this)
    const open = isTold ? tracedConnection(a)?.startOpen() : undefined
    if (open === undefined) return emit.apply(this, arguments as unknown as Parameters<WebSocketServer['emit']>)
    const direct = plain && (this as { domain?: unknown }).domain == null
    return open.run(direct ? dispatchConnection : emitConnection, this, a, b)
  }
  if (plain) markPlain(tracedEmit)

  /** The headers of a 101 are about to be written: tells a client that asked for context in messages that it gets it. */
  function agree(headers: unknown, request: Request): void {
    const telemetry = telemetryOf(request)
    const answer = telemetry && handshakeOf(request)?.acceptHeader(telemetry)
    if (answer !== undefined && Array.isArray(headers)) headers.push(`${PROTOCOL_NAME}: ${answer}`)
  }

  return [wrapMethod(target, 'handleUpgrade', tracedHandleUpgrade), wrapMethod(target, 'emit', tracedEmit)]
}

/** A server with a path answers requests for others too, with 400: those are no requests of this route. */
function pathRoute(wss: WebSocketServer, telemetry: Telemetry, request: Request): string | undefined {
  const { path } = wss.options
  if (path == null || telemetry.options.route !== undefined) return undefined
  return request.url?.split('?', 1)[0] === path ? path : undefined
}

function dispatchConnection(open: HandlerSpan, server: WebSocketServer, socket: unknown, request: unknown): boolean {
  return dispatch(open, server as unknown as EventEmitter, 'connection', socket, request)
}
