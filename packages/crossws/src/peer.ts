import { Buffer } from 'node:buffer'
import { type CloseFacts, type Connection, type HostDriver, tracedConnection } from '@otel-ws/core/adapter'
import { byteLength, payloadText, wrapMethod } from '@otel-ws/core/node'
import type { Peer } from 'crossws'

/** Value of `readyState`. */
const OPEN = 1

/** What crossws reports of the end of a connection. */
export interface CloseDetails {
  readonly code?: number
  readonly reason?: string
}

/** Members of a peer that its types lack, or that older versions do not have. */
interface Internals {
  readonly bufferedAmount?: number
  readonly _internal: { readonly ws: Socket }
  ping?(data?: unknown): unknown
  _publish?(topic: string, data: unknown, settings?: SendSettings): void
}

/** The socket of the runtime below a peer. */
interface Socket {
  ping?: unknown
  publish?: unknown
  addEventListener?(type: 'close', listener: (event: CloseDetails) => void): void
}

interface SendSettings {
  readonly compress?: boolean
}

export const driver: HostDriver<Peer> = {
  hasRawMessages: true,
  text: payloadText,
  bufferedAmount: (peer) => buffersOf(peer).bufferedAmount,
  terminate: (peer) => peer.terminate(),
  ping(peer, payload) {
    // Where the runtime has no pings, crossws would write a warning instead.
    if (isOpen(peer) && typeof socketOf(peer).ping === 'function') (peer as unknown as Internals).ping?.(payload)
  },
}

/** True on Deno: crossws passes neither code nor reason to the hook there. */
export const closesByEvent: boolean = 'Deno' in globalThis

/** Records the close of a connection from the event of its socket, where the hook does not know enough. */
export function recordCloseEvent(peer: Peer, connection: Connection): void {
  if (!closesByEvent) return
  socketOf(peer).addEventListener?.('close', (event) => connection.close(closeFacts(event)))
}

/** Codes of an end without a close frame: Deno's is 0. */
const WITHOUT_FRAME: readonly (number | undefined)[] = [1006, 0]

export function closeFacts({ code, reason }: CloseDetails): CloseFacts {
  return { received: WITHOUT_FRAME.includes(code) ? undefined : code, reason }
}

/** Wraps the methods of a peer that send, ping and close. */
export function tracePeer(peer: Peer, connection: Connection): void {
  const { send, close, terminate } = peer
  const { ping } = peer as unknown as Internals
  const buffers = buffersOf(peer)

  function tracedSend(this: Peer, given: unknown, settings?: SendSettings) {
    const data = encode(given)
    const message = { data, binary: typeof data !== 'string', size: byteLength(data) }
    if (isOpen(peer)) return connection.send(message, (payload) => send.call(peer, payload, settings), buffers)
    connection.sendSkipped(message.data, message.binary, message.size)
    return send.call(peer, data, settings)
  }

  function tracedClose(this: Peer, code?: number, reason?: string): void {
    const isFirst = isOpen(peer)
    // Bun calls the hook of the close meanwhile.
    if (isFirst && IS_BUN) connection.closeFrameSent(code ?? DEFAULT_CODE, reason)
    close.call(peer, code, reason)
    if (isFirst) connection.closeFrameSent(code ?? DEFAULT_CODE, reason)
  }

  function tracedTerminate(this: Peer): void {
    connection.terminateCalled()
    terminate.call(peer)
  }

  function tracedPing(this: Peer, data?: unknown): unknown {
    if (isOpen(peer)) connection.pingSent(pingText(data))
    return ping?.call(peer, data)
  }

  wrapMethod(peer, 'send', tracedSend)
  wrapMethod(peer, 'close', tracedClose)
  wrapMethod(peer, 'terminate', tracedTerminate)
  if (ping !== undefined && typeof socketOf(peer).ping === 'function') wrapMethod(peer, 'ping', tracedPing)
  tracePublish(peer)
}

const IS_BUN = 'Bun' in globalThis

/** Code of a close frame without a code: Bun sends one all the same. */
const DEFAULT_CODE = IS_BUN ? 1000 : 1005

/**
 * Traces what the peer publishes to others of its topic. Where crossws loops over their sockets, this loops over the peers,
 * so that each send is counted; the run of sends is one broadcast. Where the runtime itself publishes, it still does, and
 * what it sends is counted.
 */
function tracePublish(peer: Peer): void {
  const { _publish: publish } = peer as unknown as Internals
  if (publish === undefined) return
  const isNative = typeof socketOf(peer).publish === 'function'

  function tracedPublish(this: Peer, topic: string, given: unknown, settings?: SendSettings): void {
    const data = encode(given)
    const recipients = [...peer.peers].filter((other) => other !== peer && other.topics.has(topic))
    if (isNative) {
      publish?.call(peer, topic, data, settings)
      const message = { data, binary: typeof data !== 'string', size: byteLength(data) }
      for (const each of recipients) tracedConnection(each)?.send(message, () => {}, buffersOf(each))
    } else for (const recipient of recipients) recipient.send(data, settings)
  }

  wrapMethod(peer, '_publish', tracedPublish)
}

/** What crossws makes of data before it sends it: done here, once, to know its size. */
function encode(data: unknown): unknown {
  switch (typeof data) {
    case 'object':
      return isPlain(data) ? JSON.stringify(data) : (data ?? '')
    case 'number':
    case 'boolean':
    case 'bigint':
      return String(data)
    case 'undefined':
      return ''
    case 'function':
    case 'symbol':
      return '{}'
    default:
      return data
  }
}

/** True for what crossws sends as JSON, by its rules. */
function isPlain(value: object | null): value is object {
  if (value === null || ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  const isNested = prototype !== null && prototype !== Object.prototype && Object.getPrototypeOf(prototype) !== null
  if (isNested || Symbol.iterator in value) return false
  return !(Symbol.toStringTag in value) || Object.prototype.toString.call(value) === '[object Module]'
}

/** The payload of a ping or pong as text. */
export function pingText(data: unknown): string {
  if (typeof data === 'string') return Buffer.from(data).toString('latin1')
  if (ArrayBuffer.isView(data)) return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('latin1')
  return data instanceof ArrayBuffer ? Buffer.from(data).toString('latin1') : ''
}

function isOpen(peer: Peer): boolean {
  return peer.websocket.readyState === OPEN
}

function socketOf(peer: Peer): Socket {
  return (peer as unknown as Internals)._internal.ws
}

/** The object whose `bufferedAmount` is that of the peer: the socket itself with older versions of crossws. */
function buffersOf(peer: Peer): { readonly bufferedAmount: number } {
  return (typeof (peer as unknown as Internals).bufferedAmount === 'number' ? peer : peer.websocket) as {
    readonly bufferedAmount: number
  }
}
