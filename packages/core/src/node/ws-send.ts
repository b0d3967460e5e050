import type { PartialMessage } from '../outgoing/batch.ts'
import type { Buffers } from '../outgoing/flush-poller.ts'
import { byteLength } from './payload.ts'

export type { PartialMessage }

const { Buffer } = globalThis as unknown as { Buffer: { isBuffer(value: unknown): boolean } }

/** `OPEN` of `readyState`. */
const OPEN = 1

/** Payloads up to this size are written to the kernel at once, unless earlier bytes wait. */
const MAX_IMMEDIATE_BYTES = 64 * 1024

type Callback = (error?: Error) => void

/** The members of a `ws` socket, of a server or a client, that sending uses. */
interface WsSocket extends Buffers {
  readonly readyState: number
}

/** The socket's own `send`. */
export interface SendMethod {
  readonly send: (...args: unknown[]) => unknown
  /** True if `send` is the method of `ws` itself and not of a subclass, which gets the application's arguments. */
  readonly isHostSend: boolean
}

/** The options of `send` that are read. */
interface SendOptions {
  readonly binary?: boolean
  readonly fin?: boolean
}

/** A message that is being sent. `C` is the connection. */
export interface WsMessage<C> {
  /** True if it has a span. */
  readonly traced: boolean
  /** False for a member of a broadcast, except the first. */
  isFirst(connection: C): boolean
  /** Its bytes have been written, or could not be. */
  flushed(error?: unknown): void
  /** The host has not accepted it. */
  failed(error: unknown): void
  /** The host has accepted it, in so many frames. */
  sent(connection: C, sequence: number, frames?: number): void
}

/** A connection of a server or a client, as sending over a `ws` socket uses it. `M` is a message that has more than counters. */
export interface WsSender<M> {
  /** The message of which fragments have been sent. */
  partialSend: PartialMessage<M> | undefined
  /** Where texts carry their context; `undefined` if they carry none. */
  readonly terms: unknown
  /** True if the host never writes a message during the call of `send`. */
  readonly defersWrites: boolean
  /** True if errors of sends are counted. */
  readonly measuresSends: boolean
  startSend(data: unknown, binary: boolean, size: number): M | undefined
  startLastFragment(fragments: PartialMessage<M>, size: number): M | undefined
  abandonFragments(fragments: PartialMessage<M>, error?: unknown): void
  injectContext(data: unknown, message: M | undefined): unknown
  injectIntoFirstFragment(data: unknown, fragments: PartialMessage<M>): unknown
  /** Counts a message that the host has accepted. Returns its sequence number. */
  countSent(binary: boolean, size: number): number
  /** The application sent a message while the connection is not open. */
  sendSkipped(data: unknown, binary: boolean, size: number): void
  endWhenFlushed(message: M, buffers: Buffers): void
  /** Counts a send that has failed. One function for all sends, not a method. */
  readonly onTransmitted: (error?: unknown) => void
}

/**
 * Creates the wrapper of `send` for `ws` sockets of a server or a client. It calls the original once, with the
 * application's arguments; only a text that carries its context, and a callback, are others.
 *
 * @param connectionOf the connection of a socket; `undefined` if it is not traced
 */
export function createSend<S extends WsSocket, C extends WsSender<M>, M extends WsMessage<C>>(
  own: SendMethod,
  connectionOf: (socket: S) => C | undefined,
) {
  return function send(this: S, data: unknown, options?: unknown): unknown {
    const args = arguments as unknown as unknown[]
    const connection = connectionOf(this)
    if (connection === undefined) return own.send.apply(this, args)
    const settings = (typeof options === 'object' && options !== null ? options : undefined) as SendOptions | undefined
    const binary = settings?.binary ?? (typeof data !== 'string' && typeof data !== 'number')
    const size = byteLength(data)
    if (this.readyState !== OPEN) {
      const result = own.send.apply(this, args)
      connection.sendSkipped(data, binary, size)
      return result
    }
    if (settings?.fin === false || connection.partialSend !== undefined) {
      return sendFragment(this, own, args, connection, { isLast: settings?.fin !== false, binary, size })
    }
    const message = connection.startSend(data, binary, size)
    const injected =
      connection.terms === undefined || binary || !own.isHostSend
        ? args
        : withPayload(args, connection.injectContext(data, message))
    if (message === undefined && !connection.measuresSends) {
      const result = own.send.apply(this, injected as unknown[])
      connection.countSent(binary, size)
      return result
    }
    let result: unknown
    try {
      result = transmit(this, own, injected, connection, size, message)
    } catch (error) {
      message?.failed(error)
      throw error
    }
    const sequence = connection.countSent(binary, size)
    message?.sent(connection, sequence)
    return result
  }
}

/** A fragment that is about to be sent. */
interface Fragment {
  readonly isLast: boolean
  readonly binary: boolean
  readonly size: number
}

/** Sends one fragment of a message. The message is recorded when its last fragment is sent, with the time of its first. */
function sendFragment<C extends WsSender<M>, M extends WsMessage<C>>(
  socket: WsSocket,
  own: SendMethod,
  args: ArrayLike<unknown>,
  connection: C,
  { isLast, binary, size }: Fragment,
): unknown {
  const before = connection.partialSend
  const fragments: PartialMessage<M> = before ?? { startedAt: performance.now(), binary, size: 0, count: 0 }
  // The first fragment that is not empty carries the context.
  const carries = fragments.size === 0 && connection.terms !== undefined && !fragments.binary && own.isHostSend
  const injected = carries ? withPayload(args, connection.injectIntoFirstFragment(args[0], fragments)) : args
  let result: unknown
  if (!isLast) {
    try {
      result = own.send.apply(socket, injected as unknown[])
    } catch (error) {
      if (before === undefined) connection.abandonFragments(fragments, error)
      throw error
    }
    fragments.size += size
    fragments.count++
    connection.partialSend = fragments
    return result
  }
  connection.partialSend = undefined
  const total = fragments.size + size
  const message = connection.startLastFragment(fragments, total)
  try {
    result = transmit(socket, own, injected, connection, size, message)
  } catch (error) {
    message?.failed(error)
    throw error
  }
  const sequence = connection.countSent(fragments.binary, total)
  message?.sent(connection, sequence, fragments.count + 1)
  return result
}

/**
 * Calls the socket's `send` and reports the flush. A callback costs a turn of the task queue per message, so `ws` gets
 * one only if the application passes one, or if the message may have to wait; else the buffers are empty when the call
 * returns, and that is the flush. A `send` of a subclass gets the application's arguments.
 */
function transmit<C extends WsSender<M>, M extends WsMessage<C>>(
  socket: WsSocket,
  own: SendMethod,
  args: ArrayLike<unknown>,
  connection: C,
  size: number,
  message: M | undefined,
): unknown {
  const { onTransmitted } = connection
  const data = args[0]
  const first = message?.traced === true && message.isFirst(connection) ? message : undefined
  const callback = (typeof args[1] === 'function' ? args[1] : args[2]) as ((...args: unknown[]) => unknown) | undefined
  if (typeof callback === 'function') {
    const flushed = withOwnCallback(first, onTransmitted, callback)
    const all = Array.prototype.slice.call(args) as unknown[]
    all[typeof args[1] === 'function' ? 1 : 2] = flushed
    return own.send.apply(socket, all)
  }
  if (own.isHostSend && mayWait(socket, connection.defersWrites, data, size)) {
    const flushed = first === undefined ? onTransmitted : flushCallback(first, onTransmitted)
    return own.send.call(socket, data, args[1], flushed)
  }
  const result = own.send.apply(socket, args as unknown[])
  if (first !== undefined) connection.endWhenFlushed(first, socket)
  return result
}

function mayWait(socket: WsSocket, defersWrites: boolean, data: unknown, size: number): boolean {
  return (
    size > MAX_IMMEDIATE_BYTES ||
    defersWrites ||
    !(typeof data === 'string' || Buffer.isBuffer(data)) ||
    socket.bufferedAmount > 0
  )
}

/** Apart from `transmit`: a function with a closure allocates its variables with each call. */
function withOwnCallback(
  message: { flushed(error?: unknown): void } | undefined,
  onTransmitted: Callback,
  callback: (...args: unknown[]) => unknown,
): Callback {
  return function (this: unknown, error) {
    onTransmitted(error)
    message?.flushed(error)
    callback.apply(this, arguments as unknown as unknown[])
  }
}

function flushCallback(message: { flushed(error?: unknown): void }, onTransmitted: Callback): Callback {
  return (error) => {
    onTransmitted(error)
    message.flushed(error)
  }
}

/** The arguments of a `send`, with this payload. */
function withPayload(args: ArrayLike<unknown>, data: unknown): ArrayLike<unknown> {
  return data === args[0] ? args : [data, ...Array.prototype.slice.call(args, 1)]
}

/** The prototype of `ws`'s own class: the one that inherits from Node's `EventEmitter`. */
export function wsPrototype(socket: object): { readonly send?: unknown } | undefined {
  for (let at = Object.getPrototypeOf(socket) as object | null; at !== null; at = Object.getPrototypeOf(at)) {
    const parent = Object.getPrototypeOf(at) as object | null
    if (parent !== null && Object.hasOwn(parent, 'rawListeners')) return at as { readonly send?: unknown }
  }
  return undefined
}

interface Transport {
  readonly encrypted?: boolean
}

/** True for `ws` sockets that compress, are encrypted, or do not run on a socket of the operating system. */
export function defersWrites(socket: object): boolean {
  const { extensions, _socket: transport } = socket as { extensions?: string; _socket?: Transport | null }
  // Node's sockets have a handle, a stream of another kind has none.
  return extensions !== '' || !transport || !('_handle' in transport) || transport.encrypted === true
}
