import type { TelemetryOptions } from '@otel-ws/core'
import {
  createTelemetry,
  type HandlerSpan,
  type Handshake,
  PROTOCOL_NAME,
  type Process,
  storeConnection,
  type Telemetry,
  tracedConnection,
} from '@otel-ws/core/adapter'
import { byteLength } from '@otel-ws/core/node'
import type { Hooks, Message, Peer } from 'crossws'
import { type CloseDetails, closeFacts, closesByEvent, driver, pingText, recordCloseEvent, tracePeer } from './peer.ts'
import { discardUnclaimed, nodeRequestOf, peerOf, routeOf } from './request.ts'
import { SCOPE } from './version.ts'

const HANDSHAKE = Symbol('handshake')
const SUBPROTOCOL = Symbol('subprotocol')

type Upgrade = NonNullable<Hooks['upgrade']>
type PeerContext = { [HANDSHAKE]?: Handshake | undefined; [SUBPROTOCOL]?: string | undefined }
type Accepted =
  | { context?: object; headers?: ConstructorParameters<typeof Headers>[0]; protocol?: string; handled?: boolean }
  | undefined

/** Hooks that are traced. */
export type TracedHooks = Partial<Hooks> & {
  /** Ends every span that is still open and flushes the SDK. Call it when the process stops. */
  shutdown(): Promise<void>
}

/**
 * Traces the hooks of a crossws server, or of one route of h3, Nitro or Nuxt.
 *
 * ```ts
 * export default defineWebSocketHandler(traceHooks({ message: (peer, message) => void peer.send(message.text()) }))
 * ```
 *
 * @throws OptionError for wrong options
 */
export function traceHooks(hooks: Partial<Hooks>, options: TelemetryOptions = {}): TracedHooks {
  const telemetry = createTelemetry(options, SCOPE, driver)
  const shutdown = () => telemetry.shutdown()
  return { ...(telemetry.options.enabled ? wrapHooks(hooks, () => telemetry) : hooks), shutdown }
}

/** Returns the telemetry of a handshake; `undefined` leaves its connection untraced. */
export type TelemetryOf = () => Telemetry | undefined

/** Marks hooks that are traced. Registered, so that copies of this package agree. */
const TRACED = Symbol.for('otel-ws.crossws.hooks')

/** Hooks that trace others, unless those are traced already. */
export function wrapHooks(hooks: Partial<Hooks>, telemetryOf: TelemetryOf): Partial<Hooks> {
  if (TRACED in hooks) return hooks
  return { ...hooks, ...wrappersOf(hooks, telemetryOf), [TRACED]: true } as Partial<Hooks>
}

function wrappersOf(hooks: Partial<Hooks>, telemetryOf: TelemetryOf): Partial<Hooks> {
  return {
    upgrade: traceUpgrade(hooks, telemetryOf),
    open(peer) {
      const { [HANDSHAKE]: handshake, [SUBPROTOCOL]: subprotocol } = peer.context as PeerContext
      if (handshake === undefined)
        return hooks.open?.(peer)
        // The handshake would be kept as long as the peer.
      ;(peer.context as PeerContext)[HANDSHAKE] = undefined
      handshake.setPeer(peerOf(peer))
      const connection = handshake.accept(peer, { subprotocol })
      storeConnection(peer, connection)
      recordCloseEvent(peer, connection)
      const hello = handshake.helloMessage(connection)
      if (hello !== undefined) peer.send(hello)
      tracePeer(peer, connection)
      const { open } = hooks
      const span = open && connection.startOpen()
      return open && span ? span.run(callOpen, open, peer, undefined) : open?.(peer)
    },
    message(peer, message) {
      const connection = tracedConnection(peer)
      if (connection === undefined || hooks.message === undefined) return hooks.message?.(peer, message)
      const { rawData } = message
      const binary = typeof rawData !== 'string'
      if (!binary && connection.awaitsConfirmation && connection.confirms(rawData)) return
      const extracted = binary || connection.terms === undefined ? undefined : connection.extractContext(rawData)
      const data = extracted === undefined ? rawData : extracted.payload
      if (data !== rawData) Object.defineProperty(message, 'rawData', { value: data, configurable: true })
      const process = connection.startReceive({ data, binary, size: byteLength(data), extracted })
      return process === undefined
        ? hooks.message(peer, message)
        : process.run(callMessage, hooks.message, peer, message)
    },
    pong(peer, data) {
      if (tracedConnection(peer)?.pongReceived(pingText(data)) === true) return
      return hooks.pong?.(peer, data)
    },
    close(peer, details) {
      const connection = tracedConnection(peer)
      try {
        const span = hooks.close && connection?.startDisconnect()
        return hooks.close && span ? span.run(callClose, hooks.close, peer, details) : hooks.close?.(peer, details)
      } finally {
        if (!closesByEvent) connection?.close(closeFacts(details))
      }
    },
  }
}

function traceUpgrade(hooks: Partial<Hooks>, telemetryOf: TelemetryOf): Upgrade {
  async function upgrade(request: Parameters<Upgrade>[0]) {
    const telemetry = telemetryOf()
    if (telemetry === undefined) return hooks.upgrade?.(request)
    discardUnclaimed(nodeRequestOf(request))
    const handshake = telemetry.handshake(request, {
      route: telemetry.options.route === undefined ? routeOf(request) : undefined,
    })
    if (handshake === undefined) return hooks.upgrade?.(request)
    try {
      const result = await handshake.run(() => hooks.upgrade?.(request))
      if (result instanceof Response) {
        handshake.reject(result.status)
        return result
      }
      return accepted(handshake, result as Accepted)
    } catch (error) {
      const response = (error as { response?: unknown } | null)?.response ?? error
      if (response instanceof Response) handshake.reject(response.status)
      else handshake.reject(500, error)
      throw error
    }
  }
  return upgrade as Upgrade
}

/** The application's answer with the handshake, and with the header that accepts context in messages. */
function accepted(handshake: Handshake, answer: Accepted): Accepted {
  if (answer?.handled === true) {
    handshake.acceptedElsewhere()
    return answer
  }
  const header = handshake.acceptHeader()
  const headers = new Headers(answer?.headers)
  if (header !== undefined) headers.set(PROTOCOL_NAME, header)
  return {
    ...answer,
    // `peer.websocket.protocol` is what the client has offered, not what was accepted.
    context: {
      ...answer?.context,
      [HANDSHAKE]: handshake,
      [SUBPROTOCOL]: answer?.protocol ?? headers.get('sec-websocket-protocol') ?? undefined,
    },
    ...(header !== undefined && { headers }),
  }
}

function callOpen(span: HandlerSpan, hook: Hooks['open'], peer: Peer): void | Promise<void> {
  const result = hook(peer)
  span.follow(result, hook)
  return result
}

function callMessage(process: Process, hook: Hooks['message'], peer: Peer, message: Message): void | Promise<void> {
  const result = hook(peer, message)
  process.follow(result, hook)
  return result
}

function callClose(span: HandlerSpan, hook: Hooks['close'], peer: Peer, details: CloseDetails): void | Promise<void> {
  const result = hook(peer, details)
  span.follow(result, hook)
  return result
}
