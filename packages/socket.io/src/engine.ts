import type { IncomingMessage } from 'node:http'
import {
  type Handshake,
  type HandshakeOptions,
  handshakeOf,
  storeHandshake,
  type Telemetry,
} from '@otel-ws/core/adapter'
import { startHandshake, wrapMethod } from '@otel-ws/core/node'
import type { EngineServer, EngineSocket } from './host.ts'
import { traceTransport } from './transport.ts'

type UpgradeSocket = Parameters<typeof startHandshake>[1]

/** Argument of Engine.IO's event `connection_error`. */
interface ConnectionError {
  readonly req: IncomingMessage
  readonly code: number
}

/** Engine.IO's names of the codes of `connection_error`. */
const ERROR_TYPES = [
  'UNKNOWN_TRANSPORT',
  'UNKNOWN_SID',
  'BAD_HANDSHAKE_METHOD',
  'BAD_REQUEST',
  'FORBIDDEN',
  'UNSUPPORTED_PROTOCOL_VERSION',
]
const FORBIDDEN = 4

/** Requests of an open session have its id in the query. */
const SESSION = /[?&]sid=/

/**
 * Traces the handshakes of an Engine.IO server over all transports, accepted or rejected. The later requests of a session
 * are not traced.
 *
 * @returns a function that restores the original methods of the server
 */
export function traceEngine(engine: EngineServer, telemetry: Telemetry, route: string): () => void {
  const { handleRequest, handleUpgrade } = engine
  const emit = engine.emit as (type: string, ...args: unknown[]) => boolean
  const handshakes = new EngineHandshakes(telemetry, route)

  function tracedHandleRequest(this: EngineServer, request: IncomingMessage, response: unknown): void {
    const args = arguments as unknown as Parameters<EngineServer['handleRequest']>
    const handshake = handshakes.startPolling(request, response as Response)
    if (handshake === undefined) handleRequest.apply(this, args)
    else handshake.run(() => handleRequest.apply(this, args))
  }

  function tracedHandleUpgrade(this: EngineServer, request: IncomingMessage, socket: unknown): void {
    const args = arguments as unknown as Parameters<EngineServer['handleUpgrade']>
    const handshake = handshakes.startUpgrade(request, socket as UpgradeSocket)
    if (handshake === undefined) handleUpgrade.apply(this, args)
    else handshake.run(() => handleUpgrade.apply(this, args))
  }

  function tracedEmit(this: EngineServer, type: string, a?: unknown): boolean {
    if (type === 'connection') handshakes.onConnection(a as EngineSocket)
    else if (type === 'connection_error') handshakes.onConnectionError(a as ConnectionError)
    return emit.apply(this, arguments as unknown as Parameters<typeof emit>)
  }

  const restore = [
    wrapMethod(engine, 'handleRequest', tracedHandleRequest),
    wrapMethod(engine, 'handleUpgrade', tracedHandleUpgrade),
    wrapMethod(engine, 'emit', tracedEmit),
  ]
  return () => {
    for (const step of restore) step()
  }
}

/** Starts and ends the handshakes of one Engine.IO server. */
class EngineHandshakes {
  readonly #telemetry: Telemetry
  readonly #route: string
  readonly #polling: HandshakeOptions
  readonly #websocket: HandshakeOptions

  constructor(telemetry: Telemetry, route: string) {
    this.#telemetry = telemetry
    this.#route = route
    this.#polling = { route, acceptedWith: 200, transport: 'polling' }
    this.#websocket = { route, transport: 'websocket' }
  }

  startPolling(request: IncomingMessage, response: Response): Handshake | undefined {
    if (!opensSession(request) || request.method !== 'GET') return undefined
    const handshake = this.#telemetry.handshake(request, this.#polling)
    if (handshake === undefined) return undefined
    storeHandshake(request, handshake)
    endWithResponse(response, handshake)
    return handshake
  }

  startUpgrade(request: IncomingMessage, socket: UpgradeSocket): Handshake | undefined {
    if (!isNodeRequest(request)) return undefined
    const handshake = opensSession(request)
      ? startHandshake(request, socket, () => this.#telemetry.handshake(request, this.#websocket))
      : undefined
    if (handshake === undefined) {
      this.#reserve(request)
      return undefined
    }
    handshake.reserve()
    handshake.setRoute(this.#route)
    return handshake
  }

  onConnection(conn: EngineSocket): void {
    const { request } = conn
    const handshake = request === null ? undefined : handshakeOf(request)
    handshake?.acceptedElsewhere()
    const route = this.#route
    traceTransport(conn, this.#telemetry, { route }, handshake?.discarded ? undefined : handshake)
  }

  onConnectionError({ req, code }: ConnectionError): void {
    if (!isNodeRequest(req)) return
    const isUpgrade = req.headers.upgrade !== undefined
    const started = handshakeOf(req)
    const handshake =
      started?.discarded === false
        ? started
        : this.#telemetry.handshake(req, isUpgrade ? this.#websocket : this.#polling)
    handshake?.refuse(code === FORBIDDEN && !isUpgrade ? 403 : 400, ERROR_TYPES[code] ?? String(code))
  }

  /** Marks a request that is not traced, so that an adapter that traces Engine.IO's `ws` server does not trace it either. */
  #reserve(request: IncomingMessage): void {
    if (handshakeOf(request)?.unclaimed === false) return
    const handshake = this.#telemetry.unroutedHandshake(request)
    handshake.discard()
    storeHandshake(request, handshake)
  }
}

/** Returns false for the requests of other HTTP servers, such as uWebSockets.js. */
function isNodeRequest(request: IncomingMessage | undefined): request is IncomingMessage {
  return typeof request?.headers === 'object' && typeof request.url === 'string'
}

function opensSession(request: IncomingMessage): boolean {
  return isNodeRequest(request) && !SESSION.test(request.url as string)
}

interface Response {
  readonly headersSent: boolean
  readonly statusCode: number
  once(type: 'close', listener: () => void): unknown
}

/** Ends a handshake that has no outcome when its response closes: a middleware of Engine.IO answered, or the peer left. */
function endWithResponse(response: Response, handshake: Handshake): void {
  response.once('close', () => {
    if (handshake.outcome !== undefined) return
    if (response.headersSent) handshake.reject(response.statusCode)
    else handshake.abandon('remote')
  })
}
