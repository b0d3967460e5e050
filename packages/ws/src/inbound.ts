import type { EventEmitter } from 'node:events'
import {
  type Connection,
  type HandlerSpan,
  type IncomingMessage,
  type Process,
  tracedConnection,
} from '@otel-ws/core/adapter'
import { byteLength, closeCodeOf, dispatchAll } from '@otel-ws/core/node'
import type { WebSocket } from 'ws'
import { dispatch } from './dispatch.ts'
import { framesOf } from './frame-counter.ts'
import type { Methods, Socket } from './host.ts'

/**
 * Creates the wrapper of a socket's `emit`.
 *
 * @param isPlain true if the events go straight to Node's `emit`, so that no override is passed by
 */
export function createEmit(own: Methods, isPlain: boolean) {
  function emitMessage(_: Process, socket: WebSocket, data: unknown, binary: unknown): boolean {
    return own.emit.call(socket, 'message', data, binary)
  }

  return function emit(this: Socket, type: string | symbol, a?: unknown, b?: unknown): boolean {
    switch (type) {
      case 'message': {
        const connection = tracedConnection(this)
        if (connection === undefined) break
        // `ws` emits these arguments; messages that an application emits with others are left alone.
        if (typeof b !== 'boolean' || arguments.length !== 3) {
          if (arguments.length === 2 && isVersion7(this)) return receiveVersion7(connection, own, isPlain, this, a)
          break
        }
        if (!b && connection.awaitsConfirmation && connection.confirms(a)) return this.listenerCount('message') > 0
        const extracted = b || connection.terms === undefined ? undefined : connection.extractContext(a)
        const data = extracted === undefined ? a : extracted.payload
        const process = startReceive(connection, this, data, b, extracted)
        if (process === undefined) return own.emit.call(this, 'message', data, b)
        try {
          return process.run(isPlain && process.timed ? dispatchMessage : emitMessage, this, data, b)
        } catch (error) {
          closeWithTransport(this)
          throw error
        }
      }
      case 'pong':
        if (tracedConnection(this)?.pongReceived(pingPayload(a))) return this.listenerCount('pong') > 0
        break
      case 'error':
        tracedConnection(this)?.protocolErrorDetected(closeCodeOf(a))
        break
      case 'close':
        try {
          const listeners = tracedConnection(this)?.startCloseListeners(this.listenerCount('close'))
          if (listeners === undefined) {
            return own.emit.apply(this, arguments as unknown as Parameters<WebSocket['emit']>)
          }
          const isDispatched = isPlain && arguments.length === 3
          return listeners.run(isDispatched ? dispatchClose : emitClose, own, this, arguments)
        } finally {
          closed(this, a, b)
        }
    }
    return own.emit.apply(this, arguments as unknown as Parameters<WebSocket['emit']>)
  }
}

function dispatchClose(listeners: HandlerSpan, _: Methods, socket: Socket, args: IArguments): boolean {
  return dispatch(listeners, socket as unknown as EventEmitter, 'close', args[1], args[2])
}

function emitClose(_: HandlerSpan, own: Methods, socket: Socket, args: IArguments): boolean {
  return own.emit.apply(socket, args as unknown as Parameters<WebSocket['emit']>)
}

/** Reused for every message: an object per message would be an allocation on the hot path. */
const incoming: { -readonly [K in keyof IncomingMessage]: IncomingMessage[K] } = {
  data: undefined,
  binary: false,
  size: 0,
  extracted: undefined,
  frames: undefined,
}

function startReceive(
  connection: Connection,
  socket: WebSocket,
  data: unknown,
  binary: boolean,
  extracted: IncomingMessage['extracted'],
): Process | undefined {
  incoming.data = data
  incoming.binary = binary
  incoming.size = byteLength(data)
  incoming.extracted = extracted
  if (connection.services.options.frames) incoming.frames = framesOf(socket)
  const process = connection.startReceive(incoming)
  incoming.data = undefined
  incoming.extracted = undefined
  return process
}

function dispatchMessage(process: Process, socket: WebSocket, data: unknown, binary: unknown): boolean {
  return dispatch(process, socket as unknown as EventEmitter, 'message', data, binary)
}

/** True for version 7 of `ws`, which some libraries depend on: text and binary messages differ by the payload's type. */
function isVersion7(socket: Socket): boolean {
  return typeof socket._closeMessage === 'string'
}

function receiveVersion7(
  connection: Connection,
  own: Methods,
  isPlain: boolean,
  socket: Socket,
  payload: unknown,
): boolean {
  const isBinary = typeof payload !== 'string'
  if (!isBinary && connection.awaitsConfirmation && connection.confirms(payload)) {
    return socket.listenerCount('message') > 0
  }
  const extracted = isBinary || connection.terms === undefined ? undefined : connection.extractContext(payload)
  const data = extracted === undefined ? payload : extracted.payload
  const process = startReceive(connection, socket, data, isBinary, extracted)
  if (process === undefined) return emitVersion7(undefined, own, socket, data)
  try {
    return process.run(isPlain && process.timed ? dispatchVersion7 : emitVersion7, own, socket, data)
  } catch (error) {
    closeWithTransport(socket)
    throw error
  }
}

function emitVersion7(_: Process | undefined, own: Methods, socket: Socket, data: unknown): boolean {
  return own.emit.call(socket, 'message', data as never)
}

function dispatchVersion7(process: Process, _: Methods, socket: Socket, data: unknown): boolean {
  return dispatchAll(process, socket as unknown as EventEmitter, 'message', [data])
}

/** The payload of a ping or pong frame as text. */
export function pingPayload(data: unknown): string {
  if (typeof data === 'string') return Buffer.from(data).toString('latin1')
  if (typeof data === 'number') return String(data)
  if (Buffer.isBuffer(data)) return data.toString('latin1')
  if (ArrayBuffer.isView(data)) return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('latin1')
  return data instanceof ArrayBuffer ? Buffer.from(data).toString('latin1') : ''
}

/**
 * After a listener threw, `ws` reads no more and never emits `close`, if the application survives the error. The end of
 * the transport is then the end of the connection.
 */
function closeWithTransport(socket: Socket): void {
  socket._socket?.once('close', () => closed(socket, socket._closeCode, socket._closeMessage))
}

/**
 * Records the close of each connection of a server whose transport is destroyed: `ws` emits their `close` a few turns of
 * the event loop later, with the same facts. For adapters of hosts that close before that.
 */
export function closeDestroyed(wss: { readonly clients?: Iterable<WebSocket> | undefined }): void {
  for (const client of wss.clients ?? []) {
    const socket = client as Socket
    if (socket._socket?.destroyed === true) closed(socket, socket._closeCode, socket._closeMessage)
  }
}

/** True if this process has destroyed the transport: the peer has neither ended it nor caused an error. */
function wasDestroyedHere({ _socket: transport }: Socket): boolean {
  return transport?.destroyed === true && !transport.readableEnded && transport.errored === null
}

function closed(socket: Socket, code: unknown, reason: unknown): void {
  const isReceived = socket._closeFrameReceived ?? code !== 1006
  const connection = tracedConnection(socket)
  if (!isReceived && wasDestroyedHere(socket)) connection?.terminateCalled()
  connection?.close({
    received: isReceived ? (code as number) : undefined,
    reason: reason === undefined ? undefined : String(reason),
  })
}
