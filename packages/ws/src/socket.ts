import { EventEmitter } from 'node:events'
import { Socket as NetSocket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import {
  type Connection,
  closeCodeOf,
  copySignature,
  dispatchAll,
  HEARTBEAT_PAYLOAD,
  type HostDriver,
  hiddenProperty,
  type OutgoingMessage,
  type PartialMessage,
  type Process,
  storeConnection,
  tracedConnection,
  unwrapMethods,
} from '@otel-ws/core/adapter'
import type { WebSocket } from 'ws'
import { dispatch, emitsPlainly } from './dispatch.ts'
import { countFrames, uncountFrames } from './frame-counter.ts'
import { byteLength, payloadText } from './payload.ts'

const OPEN = 1
const CLOSED = 3

/** Members of a `ws` socket that its types keep private. */
interface Socket extends WebSocket {
  readonly _closeFrameReceived?: boolean
  readonly _closeCode?: number
  readonly _closeMessage?: Buffer | string
  readonly _socket?: NetSocket | null
}

type SendCallback = (error?: Error) => void
interface SendOptions {
  readonly binary?: boolean
  readonly fin?: boolean
}

export const driver: HostDriver<WebSocket> = {
  text: payloadText,
  bufferedAmount: (socket) => socket.bufferedAmount,
  ping: (socket, payload) => {
    if (socket.readyState === OPEN) socket.ping(payload)
  },
  terminate: (socket) => socket.terminate(),
  release: untraceSocket,
}

/** The socket's own methods, which ours call. */
interface Methods {
  readonly emit: WebSocket['emit']
  readonly send: (...args: unknown[]) => void
  /** False for a subclass of the application's with a `send` of its own, whose arguments are its own business. */
  readonly sendIsHosts: boolean
  readonly close: WebSocket['close']
  readonly terminate: WebSocket['terminate']
  readonly ping: (...args: unknown[]) => void
}

/**
 * Traces an open `ws` socket: stores its record and puts our methods in front of the socket's own. Each method calls the
 * one it hides with the same arguments and returns what that returns. Nothing is registered on the socket.
 */
export function traceSocket(socket: WebSocket, connection: Connection): void {
  connection.defersWrites = defersWrites(socket)
  if (connection.telemetry.options.frames) countFrames(socket, connection)
  storeConnection(socket, connection)
  Object.defineProperties(socket, overridesFor(socket))
}

/** Gives a socket its own methods back. */
function untraceSocket(socket: WebSocket): void {
  unwrapMethods(socket, METHOD_NAMES)
  uncountFrames(socket)
}

/** Sends a text of ours by the host's own method: it counts for nothing. */
export function sendFirst(socket: WebSocket, text: string): void {
  const send = hostPrototype(socket)?.send
  if (typeof send === 'function') send.call(socket, text)
}

const METHOD_NAMES = ['emit', 'send', 'close', 'terminate', 'ping'] as const
const shared = new WeakMap<object, { methods: Methods; overrides: PropertyDescriptorMap }>()

/** The overrides of a class of sockets: made once, not per connection, unless a socket has methods of its own. */
function overridesFor(socket: WebSocket): PropertyDescriptorMap {
  const send = socket.send as Methods['send']
  const methods: Methods = {
    emit: socket.emit,
    send,
    sendIsHosts: send === hostPrototype(socket)?.send,
    close: socket.close,
    terminate: socket.terminate,
    ping: socket.ping as Methods['ping'],
  }
  const prototype = Object.getPrototypeOf(socket) as object
  const known = shared.get(prototype)
  if (known !== undefined && METHOD_NAMES.every((name) => known.methods[name] === methods[name])) return known.overrides
  const overrides = createOverrides(methods, emitsPlainly(socket))
  if (!METHOD_NAMES.some((name) => Object.hasOwn(socket, name))) shared.set(prototype, { methods, overrides })
  return overrides
}

/** The prototype of `ws`'s own class: the one just above Node's emitter. */
function hostPrototype(socket: WebSocket): { readonly send?: unknown } | undefined {
  for (let at = Object.getPrototypeOf(socket) as object | null; at !== null; at = Object.getPrototypeOf(at)) {
    if (Object.getPrototypeOf(at) === EventEmitter.prototype) return at as { readonly send?: unknown }
  }
  return undefined
}

function createOverrides(own: Methods, plain: boolean): PropertyDescriptorMap {
  function emitMessage(_: Process, socket: WebSocket, data: unknown, binary: unknown): boolean {
    return own.emit.call(socket, 'message', data, binary)
  }

  const methods = {
    emit(this: Socket, type: string | symbol, a?: unknown, b?: unknown): boolean {
      switch (type) {
        case 'message': {
          const connection = tracedConnection(this)
          if (connection === undefined) break
          // What ws emits has these arguments; an application that emits something of its own is left alone.
          if (typeof b !== 'boolean' || arguments.length !== 3) {
            if (arguments.length === 2 && isOldHost(this)) return receiveOld(connection, own, plain, this, a)
            break
          }
          const data = b || connection.terms === undefined ? a : connection.extractContext(a)
          const operation = connection.startReceive(data, b, byteLength(data))
          if (operation === undefined) return own.emit.call(this, 'message', data, b)
          try {
            return operation.run(plain && operation.timed ? dispatchMessage : emitMessage, this, data, b)
          } catch (error) {
            watchTransport(this)
            throw error
          }
        }
        case 'pong':
          if (pong(this, a)) return this.listenerCount('pong') > 0
          break
        case 'error':
          tracedConnection(this)?.protocolErrorDetected(closeCodeOf(a))
          break
        case 'close':
          try {
            return own.emit.apply(this, arguments as unknown as Parameters<WebSocket['emit']>)
          } finally {
            closed(this, a, b)
          }
      }
      return own.emit.apply(this, arguments as unknown as Parameters<WebSocket['emit']>)
    },

    send(this: Socket, data: unknown, options?: unknown): void {
      const connection = tracedConnection(this)
      if (connection === undefined) {
        own.send.apply(this, arguments as unknown as unknown[])
        return
      }
      const { readyState } = this
      const settings = (typeof options === 'object' && options !== null ? options : undefined) as
        | SendOptions
        | undefined
      const binary = settings?.binary ?? (typeof data !== 'string' && typeof data !== 'number')
      const size = byteLength(data)
      if (readyState !== OPEN) {
        own.send.apply(this, arguments as unknown as unknown[])
        connection.sendSkipped(data, binary, size)
        return
      }
      if (settings?.fin === false || connection.partialSend !== undefined) {
        sendFragment(this, own, arguments as unknown as unknown[], connection, settings, binary, size)
        return
      }
      const message = connection.startSend(data, binary, size)
      const args = carrying(own, arguments as unknown as unknown[], connection, binary, message)
      if (message === undefined && !connection.telemetry.metrics.recording) {
        own.send.apply(this, args as unknown[])
        connection.countSent(binary, size)
        return
      }
      try {
        transmit(this, own, args, connection, size, message)
      } catch (error) {
        message?.failed(error)
        throw error
      }
      const sequence = connection.countSent(binary, size)
      message?.sent(connection, sequence)
    },

    close(this: Socket, code?: number, reason?: string | Buffer): void {
      const first = this.readyState === OPEN && this._closeFrameReceived !== true
      own.close.apply(this, arguments as unknown as Parameters<WebSocket['close']>)
      if (first) tracedConnection(this)?.closeFrameSent(code ?? 1005, reason === undefined ? undefined : String(reason))
    },

    terminate(this: Socket): void {
      if (this.readyState !== CLOSED) tracedConnection(this)?.terminateCalled()
      own.terminate.apply(this, arguments as unknown as [])
    },

    ping(this: Socket, data?: unknown): void {
      const open = this.readyState === OPEN
      own.ping.apply(this, arguments as unknown as unknown[])
      if (open) tracedConnection(this)?.pingSent(typeof data === 'function' ? '' : pingPayload(data))
    },
  }

  const overrides: PropertyDescriptorMap = {}
  for (const name of METHOD_NAMES) {
    overrides[name] = hiddenProperty(copySignature(methods[name], own[name] as never))
  }
  return overrides
}

/** Version 7 of `ws`, which some libraries bring: it tells texts from binary messages by the type of the payload. */
function isOldHost(socket: Socket): boolean {
  return typeof socket._closeMessage === 'string'
}

function receiveOld(connection: Connection, own: Methods, plain: boolean, socket: Socket, payload: unknown): boolean {
  const isBinary = typeof payload !== 'string'
  const data = isBinary || connection.terms === undefined ? payload : connection.extractContext(payload)
  const operation = connection.startReceive(data, isBinary, byteLength(data))
  if (operation === undefined) return emitOld(undefined, own, socket, data)
  try {
    return operation.run(plain ? dispatchOld : emitOld, own, socket, data)
  } catch (error) {
    watchTransport(socket)
    throw error
  }
}

function emitOld(_: Process | undefined, own: Methods, socket: Socket, data: unknown): boolean {
  return own.emit.call(socket, 'message', data as never)
}

function dispatchOld(operation: Process, _: Methods, socket: Socket, data: unknown): boolean {
  return dispatchAll(operation, socket as unknown as EventEmitter, 'message', [data])
}

function dispatchMessage(operation: Process, socket: WebSocket, data: unknown, binary: unknown): boolean {
  return dispatch(operation, socket as unknown as EventEmitter, 'message', data, binary)
}

/** Payloads up to this size are taken by the kernel at once, unless something is waiting already. */
const MAX_IMMEDIATE_BYTES = 64 * 1024

/**
 * Calls the socket's `send` and tells the flush. A callback costs a turn of the task queue for every message, so `ws` is
 * given one only by the application, or when the message may have to wait: else nothing is left in the buffers when the
 * call returns, and that is the flush. A `send` of a subclass is called with what the application passed.
 */
function transmit(
  socket: Socket,
  own: Methods,
  args: ArrayLike<unknown>,
  connection: Connection,
  size: number,
  message: OutgoingMessage | undefined,
): void {
  const { series } = connection
  const data = args[0]
  const first = message?.traced === true && message.isFirst(connection) ? message : undefined
  const given = typeof args[1] === 'function' ? args[1] : args[2]
  if (typeof given === 'function') {
    const flushed: SendCallback = function (this: unknown, error) {
      series.onTransmitted(error)
      first?.flushed(error)
      given.apply(this, arguments)
    }
    if (args.length === 2) own.send.call(socket, data, flushed)
    else own.send.call(socket, data, typeof args[1] === 'function' ? {} : args[1], flushed)
  } else if (own.sendIsHosts && mayWait(socket, connection, data, size)) {
    own.send.call(
      socket,
      data,
      args[1],
      first === undefined ? series.onTransmitted : flushOf(first, series.onTransmitted),
    )
  } else {
    own.send.apply(socket, args as unknown[])
    if (first !== undefined) connection.endWhenFlushed(first, socket)
  }
}

/** True for connections that compress, are encrypted, or run on something else than a socket of the operating system. */
function defersWrites(socket: Socket): boolean {
  const transport = socket._socket
  return socket.extensions !== '' || !(transport instanceof NetSocket) || (transport as TLSSocket).encrypted === true
}

function mayWait(socket: Socket, connection: Connection, data: unknown, size: number): boolean {
  return (
    size > MAX_IMMEDIATE_BYTES ||
    connection.defersWrites ||
    !(typeof data === 'string' || Buffer.isBuffer(data)) ||
    socket.bufferedAmount > 0
  )
}

function flushOf(message: OutgoingMessage, onTransmitted: SendCallback): SendCallback {
  return (error) => {
    onTransmitted(error)
    message.flushed(error)
  }
}

/** The arguments of a `send` with the message's context in the text, when the peer has agreed to that. */
function carrying(
  own: Methods,
  args: ArrayLike<unknown>,
  connection: Connection,
  binary: boolean,
  message: OutgoingMessage | undefined,
  fragments?: PartialMessage,
): ArrayLike<unknown> {
  if (connection.terms === undefined || binary || !own.sendIsHosts) return args
  const data =
    fragments === undefined
      ? connection.injectContext(args[0], message)
      : connection.injectIntoFirstFragment(args[0], fragments)
  return data === args[0] ? args : [data, ...Array.prototype.slice.call(args, 1)]
}

/** One fragment of a message. The message is told when its last fragment is sent, with the time of its first. */
function sendFragment(
  socket: Socket,
  own: Methods,
  given: ArrayLike<unknown>,
  connection: Connection,
  settings: SendOptions | undefined,
  binary: boolean,
  size: number,
): void {
  const before = connection.partialSend
  const fragments: PartialMessage = before ?? { startedAt: performance.now(), binary, size: 0, count: 0 }
  // The first that has anything in it carries.
  const first = fragments.size === 0
  const args = first ? carrying(own, given, connection, fragments.binary, undefined, fragments) : given
  if (settings?.fin === false) {
    try {
      own.send.apply(socket, args as unknown[])
    } catch (error) {
      if (before === undefined) connection.abandonFragments(fragments, error)
      throw error
    }
    fragments.size += size
    fragments.count++
    connection.partialSend = fragments
    return
  }
  connection.partialSend = undefined
  const total = fragments.size + size
  const message = connection.startLastFragment(fragments, total)
  try {
    transmit(socket, own, args, connection, size, message)
  } catch (error) {
    message?.failed(error)
    throw error
  }
  const sequence = connection.countSent(fragments.binary, total)
  message?.sent(connection, sequence, fragments.count + 1)
}

/** Tells a pong. True for the answer to a ping of ours, which is none of the application's business. */
function pong(socket: Socket, data: unknown): boolean {
  const payload = pingPayload(data)
  tracedConnection(socket)?.pongReceived(payload)
  return payload.startsWith(HEARTBEAT_PAYLOAD)
}

function pingPayload(data: unknown): string {
  if (typeof data === 'string') return Buffer.from(data).toString('latin1')
  if (typeof data === 'number') return String(data)
  if (Buffer.isBuffer(data)) return data.toString('latin1')
  if (ArrayBuffer.isView(data)) return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('latin1')
  return data instanceof ArrayBuffer ? Buffer.from(data).toString('latin1') : ''
}

/**
 * After a listener threw, `ws` reads no more and never emits `close`, should the application survive the error. The end of
 * the transport is the end of such a connection.
 */
function watchTransport(socket: Socket): void {
  socket._socket?.once('close', () => closed(socket, socket._closeCode, socket._closeMessage))
}

function closed(socket: Socket, code: unknown, reason: unknown): void {
  const received = socket._closeFrameReceived ?? code !== 1006
  tracedConnection(socket)?.close({
    received: received ? (code as number) : undefined,
    reason: reason === undefined ? undefined : String(reason),
  })
}
