import type { EventEmitter } from 'node:events'
import {
  type Connection,
  claim,
  HEARTBEAT_PAYLOAD,
  type HostDriver,
  type Process,
  recordOf,
  type Transmission,
} from '@otel-ws/core/adapter'
import type { WebSocket } from 'ws'
import { dispatch, emitsPlainly } from './dispatch.ts'
import { byteLength, payloadText } from './payload.ts'

const OPEN = 1
const CLOSED = 3

/** Members of a `ws` socket that its types keep private. */
interface Socket extends WebSocket {
  readonly _closeFrameReceived?: boolean
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
}

/** The socket's own methods, which ours call. */
interface Methods {
  readonly emit: WebSocket['emit']
  readonly send: (...args: unknown[]) => void
  readonly close: WebSocket['close']
  readonly terminate: WebSocket['terminate']
  readonly ping: (...args: unknown[]) => void
}

/**
 * Traces an open `ws` socket: stores its record and puts our methods in front of the socket's own. Each method calls the
 * one it hides with the same arguments and returns what that returns. Nothing is registered on the socket.
 */
export function traceSocket(socket: WebSocket, connection: Connection): void {
  claim(socket, connection)
  Object.defineProperties(socket, overridesFor(socket))
}

const METHOD_NAMES = ['emit', 'send', 'close', 'terminate', 'ping'] as const
const shared = new WeakMap<object, { methods: Methods; overrides: PropertyDescriptorMap }>()

/** The overrides of a class of sockets: made once, not per connection, unless a socket has methods of its own. */
function overridesFor(socket: WebSocket): PropertyDescriptorMap {
  const methods = {
    emit: socket.emit,
    send: socket.send as Methods['send'],
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

function createOverrides(own: Methods, plain: boolean): PropertyDescriptorMap {
  function emitMessage(_: Process, socket: WebSocket, data: unknown, binary: unknown): boolean {
    return own.emit.call(socket, 'message', data, binary)
  }

  const methods = {
    emit(this: Socket, type: string | symbol, a?: unknown, b?: unknown): boolean {
      switch (type) {
        case 'message': {
          const connection = recordOf(this)
          if (connection === undefined || typeof b !== 'boolean') break
          const operation = connection.receive(a, b, byteLength(a))
          if (operation === undefined) break
          return operation.run(plain && operation.timed ? dispatchMessage : emitMessage, this, a, b)
        }
        case 'pong':
          if (pong(this, a)) return this.listenerCount('pong') > 0
          break
        case 'error':
          recordOf(this)?.failing(closeCodeOf(a))
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

    send(this: Socket, data: unknown, options?: unknown, callback?: unknown): void {
      const connection = recordOf(this)
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
        connection.notSent(data, binary, size)
        return
      }
      if (settings?.fin === false || connection.partialSend !== undefined) {
        sendFragment(this, connection, own.send, arguments as unknown as unknown[], settings, binary, size)
        return
      }
      const message = connection.sending(data, binary, size)
      if (message === undefined && connection.telemetry.dark) {
        own.send.apply(this, arguments as unknown as unknown[])
        connection.counted(binary, size)
        return
      }
      const given = typeof options === 'function' ? options : callback
      const flushed = whenFlushed(connection, message, given as SendCallback | undefined)
      try {
        own.send.call(this, data, typeof options === 'function' ? {} : options, flushed)
      } catch (error) {
        message?.failed(error)
        throw error
      }
      const sequence = connection.counted(binary, size)
      message?.sent(connection, sequence)
    },

    close(this: Socket, code?: number, reason?: string | Buffer): void {
      const first = this.readyState === OPEN && this._closeFrameReceived !== true
      own.close.apply(this, arguments as unknown as Parameters<WebSocket['close']>)
      if (first) recordOf(this)?.closing(code ?? 1005, reason === undefined ? undefined : String(reason))
    },

    terminate(this: Socket): void {
      if (this.readyState !== CLOSED) recordOf(this)?.terminating()
      own.terminate.apply(this, arguments as unknown as [])
    },

    ping(this: Socket, data?: unknown): void {
      const open = this.readyState === OPEN
      own.ping.apply(this, arguments as unknown as unknown[])
      if (open) recordOf(this)?.pingSent(typeof data === 'function' ? '' : pingPayload(data))
    },
  }

  const overrides: PropertyDescriptorMap = {}
  for (const name of METHOD_NAMES) {
    overrides[name] = { value: methods[name], configurable: true, writable: true, enumerable: false }
  }
  return overrides
}

function dispatchMessage(operation: Process, socket: WebSocket, data: unknown, binary: unknown): boolean {
  return dispatch(operation, socket as unknown as EventEmitter, 'message', data, binary)
}

/** The callback to give to `ws`: it tells the flush and then calls the user's own, if there is one. */
function whenFlushed(
  connection: Connection,
  message: Transmission | undefined,
  given: SendCallback | undefined,
): SendCallback {
  const { series } = connection
  const first = message?.traced === true && message.isFirst(connection) ? message : undefined
  if (typeof given !== 'function') {
    if (first === undefined) return series.onTransmitted
    return (error) => {
      series.onTransmitted(error)
      first.flushed(error)
    }
  }
  return function (this: unknown, error) {
    series.onTransmitted(error)
    first?.flushed(error)
    given.apply(this, arguments as unknown as [Error?])
  }
}

/** One fragment of a message. The message is told when its last fragment is sent, with the time of its first. */
function sendFragment(
  socket: Socket,
  connection: Connection,
  send: Methods['send'],
  args: unknown[],
  settings: SendOptions | undefined,
  binary: boolean,
  size: number,
): void {
  const before = connection.partialSend
  const fragments = before ?? { startedAt: performance.now(), binary, size: 0, count: 0 }
  if (settings?.fin === false) {
    send.apply(socket, args)
    fragments.size += size
    fragments.count++
    connection.partialSend = fragments
    return
  }
  connection.partialSend = undefined
  const total = fragments.size + size
  const [data, options, callback] = args
  const message = connection.sending(undefined, fragments.binary, total, undefined, fragments.startedAt)
  const given = typeof options === 'function' ? options : callback
  try {
    send.call(
      socket,
      data,
      typeof options === 'function' ? {} : options,
      whenFlushed(connection, message, given as SendCallback),
    )
  } catch (error) {
    message?.failed(error)
    throw error
  }
  message?.sent(connection, connection.counted(fragments.binary, total), fragments.count + 1)
}

/** Tells a pong. True for the answer to a ping of ours, which is none of the application's business. */
function pong(socket: Socket, data: unknown): boolean {
  const payload = pingPayload(data)
  recordOf(socket)?.pongReceived(payload)
  return payload.startsWith(HEARTBEAT_PAYLOAD)
}

function pingPayload(data: unknown): string {
  if (typeof data === 'string') return Buffer.from(data).toString('latin1')
  if (typeof data === 'number') return String(data)
  if (Buffer.isBuffer(data)) return data.toString('latin1')
  if (ArrayBuffer.isView(data)) return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('latin1')
  return data instanceof ArrayBuffer ? Buffer.from(data).toString('latin1') : ''
}

function closed(socket: Socket, code: unknown, reason: unknown): void {
  const received = socket._closeFrameReceived ?? code !== 1006
  recordOf(socket)?.close({
    received: received ? (code as number) : undefined,
    reason: reason === undefined ? undefined : String(reason),
  })
}

/** `ws` puts the close code that stands for a protocol error on the error, under a symbol of this description. */
const CLOSE_CODE_MARK = 'status-code'

function closeCodeOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const mark = Object.getOwnPropertySymbols(error).find((symbol) => symbol.description === CLOSE_CODE_MARK)
  const code = mark === undefined ? undefined : (error as Record<symbol, unknown>)[mark]
  return typeof code === 'number' ? code : undefined
}
