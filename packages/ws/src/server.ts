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
} from '@otel-ws/core/adapter'
import { dispatchAll, startHandshake, wrapMethod } from '@otel-ws/core/node'
import type { WebSocket, WebSocketServer } from 'ws'
import { emitsPlainly, markPlain } from './dispatch.ts'
import { driver } from './driver.ts'
import { sendUncounted, traceSocket } from './socket.ts'
import { type Request, watchUpgrades } from './upgrade.ts'
import { SCOPE } from './version.ts'

/** Options of {@link traceWebSocketServer}. */
export interface WebSocketServerOptions extends TelemetryOptions {
  /**
   * HTTP server whose upgrade requests the application handles itself before it calls `handleUpgrade`, with option
   * `noServer` of `ws`. Requests that it rejects there, or that stay without an answer, are recorded only with this option,
   * without a route; those that other code accepts are not recorded.
   */
  server?: HttpServer
}

/** The tracing of a server. */
export interface TracedServer {
  /** Ends every span that is still open and flushes the SDK. Call it when the process stops. */
  shutdown(): Promise<void>
  /** Removes the tracing. Open connections stay traced until they close. */
  restore(): void
}

type Accept = (socket: WebSocket, request: Request) => void
type HandleUpgrade = (this: WebSocketServer, request: Request, socket: Duplex, head: Buffer, accept: Accept) => unknown

const TRACED = Symbol.for('otel-ws.server')

/**
 * Traces a `ws` server: every handshake, connection, message, send, broadcast and close, in each of its modes (`port`,
 * `server`, `noServer`).
 *
 * @throws OptionError for wrong options, TypeError for a value that is not a server of `ws`
 */
export function traceWebSocketServer(wss: WebSocketServer, options: WebSocketServerOptions = {}): TracedServer {
  if (typeof wss?.handleUpgrade !== 'function')
    throw new TypeError('otel-ws: what is traced must be a WebSocketServer of ws')
  const telemetry = createTelemetry(withoutServer(options), SCOPE, driver)
  const { server } = options
  if (server !== undefined && typeof server.on !== 'function') throw new OptionError('server', 'must be an http server')
  const traced = traceServer(wss, telemetry)
  if (server === undefined || !telemetry.options.enabled) return traced
  const unwatch = watchUpgrades(server, (request) => telemetry.unclaimedHandshake(request))
  return {
    shutdown: traced.shutdown,
    restore() {
      unwatch()
      traced.restore()
    },
  }
}

/** The options for core, which reports a value that is not an object. */
function withoutServer(options: WebSocketServerOptions): TelemetryOptions {
  if (typeof options !== 'object' || options === null) return options
  const { server, ...others } = options
  return others
}

/** Options for an adapter on top of `ws`. */
export interface TraceServerOptions {
  /** False if the adapter traces the connection handler, so that listeners of `connection` get no span. Default true. */
  readonly traceConnectionHandler?: boolean
  /** False if the adapter traces the listeners of `close` of each socket. Default true. */
  readonly traceCloseListeners?: boolean
  /** The template of all requests that the host passes to this server. */
  readonly route?: string | undefined
  /** Called when the host upgrades a request. */
  readonly onUpgrade?: (handshake: Handshake) => void
}

/** Traces a server for an adapter that has its own telemetry. */
export function traceServer(
  wss: WebSocketServer,
  telemetry: Telemetry,
  options: TraceServerOptions = {},
): TracedServer {
  const host = wss as WebSocketServer & { [TRACED]?: TracedServer }
  if (host[TRACED] !== undefined) {
    telemetry.warnTracedAlready('this WebSocketServer', telemetries.get(host[TRACED]))
    return host[TRACED]
  }
  const undo = telemetry.options.enabled ? install(wss, { telemetryOf: () => telemetry }, options) : []
  const traced: TracedServer = {
    shutdown: () => telemetry.shutdown(),
    restore() {
      for (const step of undo.splice(0)) step()
      delete host[TRACED]
    },
  }
  Object.defineProperty(wss, TRACED, { value: traced, configurable: true, enumerable: false })
  telemetries.set(traced, telemetry)
  return traced
}

const telemetries = new WeakMap<TracedServer, Telemetry>()

/** More listeners than a socket has. */
const ALL_LISTENERS = 2 ** 30

type TelemetryOf = (request: Request) => Telemetry | undefined

/** The tracing of a class of servers, stored on its prototype. */
interface TracedClass {
  /** The latest is last. */
  readonly tracers: TelemetryOf[]
  uninstall(): void
}

const CLASS = Symbol.for('otel-ws.server-class')

/**
 * Traces every server of a class, also those that exist already. A server that is traced by itself keeps its telemetry. If
 * a class is traced several times, the latest `telemetryOf` decides.
 *
 * @param telemetryOf called at each upgrade; `undefined` leaves the request alone
 * @returns a function that removes this tracing; the last one removes the wrappers from the class
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
    // A wrapper that was wrapped again meanwhile stays, and only calls the original.
    for (const step of undo) step()
    delete prototype[CLASS]
  }
  const traced = { tracers, uninstall }
  Object.defineProperty(prototype, CLASS, { value: traced, configurable: true, enumerable: false })
  return traced
}

/** Where the wrappers of a server, or of a class of servers, find their telemetry. */
interface Source {
  /** Telemetry for an upgrade request; `undefined` leaves it alone. */
  telemetryOf(request: Request): Telemetry | undefined
  /** True for servers of a class that are left alone. */
  isLeftOut?(wss: WebSocketServer): boolean
}

/** Wraps the methods of a server, or of a class of servers. Returns functions that remove the wrappers. */
function install(target: WebSocketServer, source: Source, options: TraceServerOptions = {}): (() => void)[] {
  const handleUpgrade = wrapHandleUpgrade(target, source, options)
  const emit = wrapEmit(target, source, options)
  return [
    wrapMethod(target, 'handleUpgrade', handleUpgrade),
    wrapMethod(target, 'emit', emit),
    wrapMethod(target, 'close', wrapClose(target)),
  ]
}

/** A server that closes holds its connections until their clients have gone. */
function wrapClose(target: WebSocketServer) {
  const { close } = target
  return function tracedClose(this: WebSocketServer): unknown {
    for (const client of this.clients ?? []) tracedConnection(client)?.drain()
    return close.apply(this, arguments as unknown as Parameters<WebSocketServer['close']>)
  }
}

function wrapHandleUpgrade(
  target: WebSocketServer,
  { telemetryOf, isLeftOut = () => false }: Source,
  options: TraceServerOptions,
) {
  const handleUpgrade = target.handleUpgrade as unknown as HandleUpgrade

  return function tracedHandleUpgrade(this: WebSocketServer, request: Request, socket: Duplex): unknown {
    const args = [...(arguments as unknown as Parameters<HandleUpgrade>)] as Parameters<HandleUpgrade>
    // `ws` itself refuses arguments that are not those of an upgrade.
    if (typeof request?.headers !== 'object' || typeof args[3] !== 'function') return handleUpgrade.apply(this, args)
    const telemetry = isLeftOut(this) ? undefined : telemetryOf(request)
    const route = telemetry && (options.route ?? pathRoute(this, telemetry, request))
    // A server that is left alone takes the request as well.
    const isTaken = telemetry !== undefined || handshakeOf(request)?.unclaimed === true
    const handshake = isTaken
      ? startHandshake(request, socket, () => telemetry?.handshake(request, { route }))
      : undefined
    if (handshake !== undefined && !handshake.reserved && options.route !== undefined) {
      telemetry?.routed(handshake, route)
    }
    if (handshake === undefined || handshake.discarded || handshake.reserved) {
      return handleUpgrade.apply(this, args)
    }
    if (route !== undefined) handshake.setRoute(route)
    if (options.route !== undefined) handshake.start()
    options.onUpgrade?.(handshake)
    const accept = args[3]
    // In the modes `port` and `server`, `ws` calls the listeners through an `emit` that it has bound before it was wrapped.
    const isBoundEmit = this.options.noServer !== true && accept.name === 'bound emit'
    const wss = this
    args[3] = function accepted(this: unknown, webSocket: WebSocket, acceptedRequest: Request): void {
      if (tracedConnection(webSocket) === undefined) {
        const connection = handshake.accept(webSocket, { subprotocol: webSocket.protocol, route }, telemetry)
        storeConnection(acceptedRequest, connection)
        traceSocket(webSocket, connection)
        if (options.traceCloseListeners === false) connection.hostCloseListeners = ALL_LISTENERS
        const hello = handshake.helloMessage(connection)
        if (hello !== undefined) sendUncounted(webSocket, hello)
      }
      if (isBoundEmit) wss.emit('connection', webSocket, acceptedRequest as never)
      else accept.apply(this, arguments as unknown as Parameters<Accept>)
    }
    try {
      return handshake.run(() => handleUpgrade.apply(this, args))
    } catch (error) {
      // Thrown by a hook such as `verifyClient`, or by a handler of a connection that was accepted.
      handshake.fail(error)
      throw error
    }
  }
}

function wrapEmit(
  target: WebSocketServer,
  { telemetryOf, isLeftOut = () => false }: Source,
  { traceConnectionHandler = true }: TraceServerOptions,
) {
  const { emit } = target
  const isPlain = emitsPlainly(target as unknown as EventEmitter)

  function emitConnection(_: HandlerSpan, wss: WebSocketServer, args: IArguments): boolean {
    return emit.apply(wss, args as unknown as Parameters<WebSocketServer['emit']>)
  }

  /** `ws` is about to write the headers of a 101: accepts the client's offer of context in messages. */
  function addAcceptHeader(headers: unknown, request: Request): void {
    const telemetry = telemetryOf(request)
    const value = telemetry && handshakeOf(request)?.acceptHeader(telemetry)
    if (value !== undefined && Array.isArray(headers)) headers.push(`${PROTOCOL_NAME}: ${value}`)
  }

  function tracedEmit(this: WebSocketServer, type: string | symbol, a?: unknown, b?: unknown): boolean {
    const args = arguments as unknown as Parameters<WebSocketServer['emit']>
    if (type === 'headers') {
      const hasListeners = emit.apply(this, args)
      if (!isLeftOut(this)) addAcceptHeader(a, b as Request)
      return hasListeners
    }
    const isTraced = type === 'connection' && traceConnectionHandler && typeof a === 'object' && a !== null
    const open = isTraced && !isLeftOut(this) ? tracedConnection(a)?.startOpen() : undefined
    if (open === undefined) return emit.apply(this, args)
    const isDirect = isPlain && (this as { domain?: unknown }).domain == null
    return open.run(isDirect ? dispatchConnection : emitConnection, this, arguments, undefined)
  }
  if (isPlain) markPlain(tracedEmit)
  return tracedEmit
}

/** A server with a path answers requests for other paths with 400: they do not belong to its route. */
function pathRoute(wss: WebSocketServer, telemetry: Telemetry, request: Request): string | undefined {
  const { path } = wss.options
  if (path == null || telemetry.options.route !== undefined) return undefined
  return request.url?.split('?', 1)[0] === path ? path : undefined
}

function dispatchConnection(open: HandlerSpan, wss: WebSocketServer, args: IArguments): boolean {
  return dispatchAll(open, wss as unknown as EventEmitter, 'connection', Array.prototype.slice.call(args, 1))
}
