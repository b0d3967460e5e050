import { type Connection, storeConnection, tracedConnection } from '@otel-ws/core/adapter'
import { copySignature, createSend, defersWrites, hiddenProperty, wsPrototype } from '@otel-ws/core/node'
import type { WebSocket } from 'ws'
import { emitsPlainly } from './dispatch.ts'
import { METHOD_NAMES } from './driver.ts'
import { countFrames } from './frame-counter.ts'
import { CLOSED, type Methods, OPEN, type Socket } from './host.ts'
import { createEmit, pingPayload } from './inbound.ts'

/**
 * Traces an open `ws` socket: stores its connection and wraps the socket's methods. Each wrapper calls the original with
 * the same arguments and returns its result. No listener is registered on the socket.
 */
export function traceSocket(socket: WebSocket, connection: Connection): void {
  connection.defersWrites = defersWrites(socket)
  if (connection.services.options.frames) countFrames(socket)
  storeConnection(socket, connection)
  connection.hostCloseListeners = socket.listenerCount('close')
  Object.defineProperties(socket, wrappersFor(socket))
}

/** Sends a text by the method of `ws` itself, so that it is not counted. */
export function sendUncounted(socket: WebSocket, text: string): void {
  const send = wsPrototype(socket)?.send
  if (typeof send === 'function') send.call(socket, text)
}

/** Wrappers by prototype, for sockets without methods of their own: created once, not per connection. */
const shared = new WeakMap<object, { methods: Methods; wrappers: PropertyDescriptorMap }>()

function wrappersFor(socket: WebSocket): PropertyDescriptorMap {
  const send = socket.send as Methods['send']
  const methods: Methods = {
    emit: socket.emit,
    send,
    isHostSend: send === wsPrototype(socket)?.send,
    close: socket.close,
    terminate: socket.terminate,
    ping: socket.ping as Methods['ping'],
  }
  const prototype = Object.getPrototypeOf(socket) as object
  const known = shared.get(prototype)
  if (known !== undefined && METHOD_NAMES.every((name) => known.methods[name] === methods[name])) return known.wrappers
  const wrappers = createWrappers(methods, emitsPlainly(socket))
  if (!METHOD_NAMES.some((name) => Object.hasOwn(socket, name))) shared.set(prototype, { methods, wrappers })
  return wrappers
}

function createWrappers(own: Methods, isPlain: boolean): PropertyDescriptorMap {
  const methods = {
    emit: createEmit(own, isPlain),
    send: createSend(own, tracedConnection),

    close(this: Socket, code?: number, reason?: unknown): unknown {
      const isFirst = this.readyState === OPEN && this._closeFrameReceived !== true
      const result: unknown = own.close.apply(this, arguments as unknown as Parameters<WebSocket['close']>)
      if (isFirst) tracedConnection(this)?.closeFrameSent(code ?? 1005, textOf(reason))
      return result
    },

    terminate(this: Socket): unknown {
      if (this.readyState !== CLOSED) tracedConnection(this)?.terminateCalled()
      return own.terminate.apply(this, arguments as unknown as [])
    },

    ping(this: Socket, data?: unknown): unknown {
      const isOpen = this.readyState === OPEN
      const result: unknown = own.ping.apply(this, arguments as unknown as unknown[])
      if (isOpen) tracedConnection(this)?.pingSent(typeof data === 'function' ? '' : pingPayload(data))
      return result
    },
  }
  const wrappers: PropertyDescriptorMap = {}
  for (const name of METHOD_NAMES) {
    wrappers[name] = hiddenProperty(copySignature(methods[name] as never, own[name] as never))
  }
  return wrappers
}

/** The reason of a close frame. A `close` of a subclass may take other values. */
function textOf(reason: unknown): string | undefined {
  if (reason instanceof Uint8Array) return Buffer.from(reason).toString()
  return typeof reason === 'string' ? reason : undefined
}
