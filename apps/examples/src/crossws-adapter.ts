import type { TelemetryOptions } from '@otel-ws/core'
import {
  type Connection,
  createTelemetry,
  type HandlerSpan,
  type Handshake,
  type HostDriver,
  type Process,
  storeConnection,
  tracedConnection,
} from '@otel-ws/core/adapter'
import { byteLength, payloadText, wrapMethod } from '@otel-ws/core/node'
import type { Hooks, Message, Peer } from 'crossws'

export { connectionOf, connectionSampler } from '@otel-ws/core'

const SCOPE = { name: 'crossws-example', version: '0.0.0' }
const HANDSHAKE = Symbol('handshake')
const SUBPROTOCOL = Symbol('subprotocol')
const OPEN = 1

const driver: HostDriver<Peer> = {
  text: payloadText,
  bufferedAmount: (peer) => peer.websocket.bufferedAmount ?? 0,
  terminate: (peer) => peer.terminate(),
}

type Upgrade = NonNullable<Hooks['upgrade']>
type TracedHooks = Partial<Hooks> & { shutdown(): Promise<void> }
type PeerContext = { [HANDSHAKE]?: Handshake; [SUBPROTOCOL]?: string }
type UpgradeResult = { context?: object; headers?: Record<string, string> } | undefined

/**
 * Traces the hooks of crossws: `crossws({ hooks: traceHooks(hooks) })`. It is the example of docs/writing-an-adapter.md.
 *
 * @throws OptionError for wrong options
 */
export function traceHooks(hooks: Partial<Hooks>, options: TelemetryOptions = {}): TracedHooks {
  const telemetry = createTelemetry(options, SCOPE, driver)
  if (!telemetry.options.enabled) return Object.assign({ ...hooks }, { shutdown: async () => {} })

  async function upgrade(request: Parameters<Upgrade>[0]) {
    const handshake = telemetry.handshake(request)
    if (handshake === undefined) return hooks.upgrade?.(request)
    try {
      const result = await handshake.run(() => hooks.upgrade?.(request))
      if (result instanceof Response) {
        handshake.reject(result.status)
        return result
      }
      return accepted(handshake, result as UpgradeResult) as typeof result
    } catch (error) {
      const response = (error as { response?: unknown }).response ?? error
      if (response instanceof Response) handshake.reject(response.status)
      else handshake.reject(500, error)
      throw error
    }
  }

  const traced: Partial<Hooks> = {
    ...hooks,
    upgrade: upgrade as Upgrade,
    open(peer) {
      const { [HANDSHAKE]: handshake, [SUBPROTOCOL]: subprotocol } = peer.context as PeerContext
      if (handshake === undefined) return hooks.open?.(peer)
      const connection = handshake.accept(peer, { subprotocol })
      storeConnection(peer, connection)
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
    close(peer, details) {
      try {
        return hooks.close?.(peer, details)
      } finally {
        const received = details.code === 1006 ? undefined : details.code
        tracedConnection(peer)?.close({ received, reason: details.reason })
      }
    },
  }
  return Object.assign(traced, { shutdown: () => telemetry.shutdown() })
}

/** The application's answer with the handshake, and with the header that accepts context in messages. */
function accepted(handshake: Handshake, answer: UpgradeResult): UpgradeResult {
  const header = handshake.acceptHeader()
  return {
    ...answer,
    // `peer.websocket.protocol` is what the client has offered, not what was accepted.
    context: {
      ...answer?.context,
      [HANDSHAKE]: handshake,
      [SUBPROTOCOL]: new Headers(answer?.headers).get('sec-websocket-protocol') ?? undefined,
    },
    ...(header !== undefined && { headers: { ...answer?.headers, 'otel-ws': header } }),
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

/** Wraps the methods of a peer that send and close. */
function tracePeer(peer: Peer, connection: Connection): void {
  const { send, close, terminate } = peer

  function tracedSend(this: Peer, given: unknown, settings?: { compress?: boolean }) {
    // crossws serialises objects itself: it is done here, once, to know the size.
    const data = isPlain(given) ? JSON.stringify(given) : typeof given === 'number' ? String(given) : given
    const message = { data, binary: typeof data !== 'string', size: byteLength(data) }
    if (peer.websocket.readyState === OPEN) {
      return connection.send(message, (payload) => send.call(peer, payload, settings), peer.websocket as never)
    }
    connection.sendSkipped(message.data, message.binary, message.size)
    return send.call(peer, data, settings)
  }

  function tracedClose(this: Peer, code?: number, reason?: string): void {
    close.call(peer, code, reason)
    connection.closeFrameSent(code ?? 1005, reason)
  }

  function tracedTerminate(this: Peer): void {
    connection.terminateCalled()
    terminate.call(peer)
  }

  wrapMethod(peer, 'send', tracedSend)
  wrapMethod(peer, 'close', tracedClose)
  wrapMethod(peer, 'terminate', tracedTerminate)
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !ArrayBuffer.isView(value) && !(value instanceof ArrayBuffer)
}
