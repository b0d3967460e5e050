import type { IncomingMessage } from 'node:http'
import {
  type Handshake,
  type HandshakeOptions,
  handshakeOf,
  startHandshake,
  storeHandshake,
  type Telemetry,
  wrapMethod,
} from '@otel-ws/core/adapter'
import type { EngineServer, EngineSocket } from './host.ts'
import { traceTransport } from './transport.ts'

type UpgradeSocket = Parameters<typeof startHandshake>[1]

/** What Engine.IO tells of a request that it turned down. */
interface ConnectionError {
  readonly req: IncomingMessage
  readonly code: number
}

/** The names that Engine.IO has for the codes of `connection_error`. */
const ERROR_TYPES = [
  'UNKNOWN_TRANSPORT',
  'UNKNOWN_SID',
  'BAD_HANDSHAKE_METHOD',
  'BAD_REQUEST',
  'FORBIDDEN',
  'UNSUPPORTED_PROTOCOL_VERSION',
]
const FORBIDDEN = 4

/** Requests of a session that is there carry its id. */
const SESSION = /[?&]sid=/

/**
 * Traces the connections of an Engine.IO server: the handshake of each, over any transport, and the requests that it
 * turns down. What a session sends and polls afterwards is left alone.
 */
export function traceEngine(engine: EngineServer, telemetry: Telemetry, route: string): () => void {
  const { handleRequest, handleUpgrade } = engine
  const polling: HandshakeOptions = { route, acceptedWith: 200, transport: 'polling' }
  const websocket: HandshakeOptions = { route, transport: 'websocket' }
  const emit = engine.emit as (type: string, ...args: unknown[]) => boolean

  function tracedHandleRequest(this: EngineServer, request: IncomingMessage, response: unknown): void {
    const args = arguments as unknown as Parameters<EngineServer['handleRequest']>
    const handshake = isHandshake(request) && request.method === 'GET' ? begin(request) : undefined
    if (handshake === undefined) {
      handleRequest.apply(this, args)
      return
    }
    watchResponse(response as Response, handshake)
    handshake.run(() => handleRequest.apply(this, args))
  }

  function begin(request: IncomingMessage): Handshake | undefined {
    const handshake = telemetry.handshake(request, polling)
    if (handshake !== undefined) storeHandshake(request, handshake)
    return handshake
  }

  function tracedHandleUpgrade(this: EngineServer, request: IncomingMessage, socket: unknown): void {
    const args = arguments as unknown as Parameters<EngineServer['handleUpgrade']>
    if (!isNodes(request)) {
      handleUpgrade.apply(this, args)
      return
    }
    const handshake = isHandshake(request)
      ? startHandshake(request, socket as UpgradeSocket, () => telemetry.handshake(request, websocket))
      : undefined
    if (handshake === undefined) {
      reserve(request)
      handleUpgrade.apply(this, args)
      return
    }
    handshake.reserved = true
    handshake.setRoute(route)
    handshake.run(() => handleUpgrade.apply(this, args))
  }

  /** Whoever traces the `ws` server of Engine.IO leaves its connections alone. */
  function reserve(request: IncomingMessage): void {
    if (handshakeOf(request) !== undefined) return
    const handshake = telemetry.unroutedHandshake(request)
    handshake.discard()
    storeHandshake(request, handshake)
  }

  function tracedEmit(this: EngineServer, type: string, a?: unknown): boolean {
    if (type === 'connection') opened(a as EngineSocket)
    else if (type === 'connection_error') refused(a as ConnectionError)
    return emit.apply(this, arguments as unknown as Parameters<typeof emit>)
  }

  function opened(conn: EngineSocket): void {
    const { request } = conn
    const handshake = request === null ? undefined : handshakeOf(request)
    handshake?.acceptedElsewhere()
    traceTransport(conn, telemetry, { route }, handshake?.discarded ? undefined : handshake)
  }

  function refused({ req, code }: ConnectionError): void {
    if (!isNodes(req)) return
    const isUpgrade = req.headers.upgrade !== undefined
    const known = handshakeOf(req)
    const handshake = known?.discarded === false ? known : telemetry.handshake(req, isUpgrade ? websocket : polling)
    handshake?.refuse(code === FORBIDDEN && !isUpgrade ? 403 : 400, ERROR_TYPES[code] ?? String(code))
  }

  const undo = [
    wrapMethod(engine, 'handleRequest', tracedHandleRequest),
    wrapMethod(engine, 'handleUpgrade', tracedHandleUpgrade),
    wrapMethod(engine, 'emit', tracedEmit),
  ]
  return () => {
    for (const step of undo) step()
  }
}

/** False for the requests of other http servers, such as uWebSockets.js. */
function isNodes(request: IncomingMessage | undefined): request is IncomingMessage {
  return typeof request?.headers === 'object' && typeof request.url === 'string'
}

function isHandshake(request: IncomingMessage): boolean {
  return isNodes(request) && !SESSION.test(request.url as string)
}

interface Response {
  readonly headersSent: boolean
  readonly statusCode: number
  once(type: 'close', listener: () => void): unknown
}

/** A middleware of Engine.IO, or nobody, may have answered. */
function watchResponse(response: Response, handshake: Handshake): void {
  response.once('close', () => {
    if (handshake.outcome !== undefined) return
    if (response.headersSent) handshake.reject(response.statusCode)
    else handshake.abandon('remote')
  })
}
