import type { EventEmitter } from 'node:events'
import type { Server as HttpServer } from 'node:http'
import type { Duplex } from 'node:stream'
import type { TelemetryOptions } from '@otel-ws/core'
import {
  claim,
  createTelemetry,
  type Handshake,
  type Open,
  override,
  recordOf,
  type Telemetry,
  warn,
} from '@otel-ws/core/adapter'
import type { WebSocket, WebSocketServer } from 'ws'
import { dispatch, emitsPlainly } from './dispatch.ts'
import { driver, traceSocket } from './socket.ts'
import { beginHandshake, type Request, watchUpgrades } from './upgrade.ts'
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
 * @throws OptionError for wrong options
 */
export function traceWebSocketServer(wss: WebSocketServer, options: WebSocketServerOptions = {}): TracedServer {
  const { server, ...telemetryOptions } = options
  const telemetry = createTelemetry(telemetryOptions, SCOPE, driver)
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

/** How an adapter on top of `ws` has a server traced. */
export interface ServerSeams {
  /** Another adapter tells the connection handler: not the listeners of `connection`. */
  readonly opensElsewhere?: boolean
  /** Called when the host has taken a request and upgrades it. */
  readonly onUpgrade?: (handshake: Handshake) => void
}

/** Traces a server for an adapter that brings its own telemetry. */
export function traceServer(wss: WebSocketServer, telemetry: Telemetry, seams: ServerSeams = {}): TracedServer {
  const host = wss as WebSocketServer & { [TRACED]?: TracedServer }
  if (host[TRACED] !== undefined) {
    warn('this WebSocketServer is traced already: the second call has no effect')
    return host[TRACED]
  }
  const undo = telemetry.options.enabled ? install(wss, telemetry, seams) : []
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

function install(wss: WebSocketServer, telemetry: Telemetry, seams: ServerSeams): (() => void)[] {
  const handleUpgrade = wss.handleUpgrade as unknown as HandleUpgrade
  const { emit } = wss
  const plain = emitsPlainly(wss as unknown as EventEmitter)
  // A server with a path answers requests for others too, with 400: those are no requests of this route.
  const path = telemetry.options.route === undefined ? (wss.options.path ?? undefined) : undefined
  // In the modes `port` and `server` of `ws`, the listeners are called through a function that was bound before us.
  const emitsItself = wss.options.noServer !== true

  function tracedHandleUpgrade(
    this: WebSocketServer,
    request: Request,
    socket: Duplex,
    head: Buffer,
    accept: Accept,
  ): void {
    const route = path !== undefined && request.url?.split('?', 1)[0] === path ? path : undefined
    const handshake = beginHandshake(request, socket, () => telemetry.handshake(request, { route }))
    if (handshake === undefined || handshake.discarded) {
      handleUpgrade.call(this, request, socket, head, accept)
      return
    }
    if (route !== undefined) handshake.setRoute(route)
    seams.onUpgrade?.(handshake)
    const accepted: Accept = (webSocket, acceptedRequest) => {
      if (recordOf(webSocket) === undefined) {
        const connection = handshake.accept(webSocket, { subprotocol: webSocket.protocol, route }, telemetry)
        claim(acceptedRequest, connection)
        traceSocket(webSocket, connection)
      }
      if (emitsItself && accept.name === 'bound emit') wss.emit('connection', webSocket, acceptedRequest as never)
      else accept(webSocket, acceptedRequest)
    }
    handshake.run(() => handleUpgrade.call(this, request, socket, head, accepted))
  }

  function emitConnection(_: Open, server: WebSocketServer, socket: unknown, request: unknown): boolean {
    return emit.call(server, 'connection', socket as never, request as never)
  }

  function tracedEmit(this: WebSocketServer, type: string | symbol, socket?: unknown, request?: unknown): boolean {
    const connection =
      type === 'connection' && typeof socket === 'object' && socket !== null ? recordOf(socket) : undefined
    const open = connection?.opening()
    if (open === undefined) return emit.apply(this, arguments as unknown as Parameters<WebSocketServer['emit']>)
    return open.run(plain ? dispatchConnection : emitConnection, this, socket, request)
  }

  const undo = [override(wss, 'handleUpgrade', tracedHandleUpgrade)]
  if (seams.opensElsewhere !== true) undo.push(override(wss, 'emit', tracedEmit))
  return undo
}

function dispatchConnection(open: Open, server: WebSocketServer, socket: unknown, request: unknown): boolean {
  return dispatch(open, server as unknown as EventEmitter, 'connection', socket, request)
}
