import type { Connection, OutgoingMessage, PartialMessage } from '@otel-ws/core/adapter'
import type { Methods, Socket } from './host.ts'

type SendCallback = (error?: Error) => void

/** Payloads up to this size are written to the kernel at once, unless earlier bytes wait. */
const MAX_IMMEDIATE_BYTES = 64 * 1024

/**
 * Calls the socket's `send` and reports the flush. A callback costs a turn of the task queue per message, so `ws` gets
 * one only if the application passes one, or if the message may have to wait; else the buffers are empty when the call
 * returns, and that is the flush. A `send` of a subclass gets the application's arguments.
 */
export function transmit(
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
  const callback = typeof args[1] === 'function' ? args[1] : args[2]
  if (typeof callback === 'function') {
    const flushed: SendCallback = function (this: unknown, error) {
      series.onTransmitted(error)
      first?.flushed(error)
      callback.apply(this, arguments)
    }
    if (args.length === 2) own.send.call(socket, data, flushed)
    else own.send.call(socket, data, typeof args[1] === 'function' ? {} : args[1], flushed)
  } else if (own.isHostSend && mayWait(socket, connection, data, size)) {
    const flushed = first === undefined ? series.onTransmitted : flushCallback(first, series.onTransmitted)
    own.send.call(socket, data, args[1], flushed)
  } else {
    own.send.apply(socket, args as unknown[])
    if (first !== undefined) connection.endWhenFlushed(first, socket)
  }
}

function mayWait(socket: Socket, connection: Connection, data: unknown, size: number): boolean {
  return (
    size > MAX_IMMEDIATE_BYTES ||
    connection.defersWrites ||
    !(typeof data === 'string' || Buffer.isBuffer(data)) ||
    socket.bufferedAmount > 0
  )
}

function flushCallback(message: OutgoingMessage, onTransmitted: SendCallback): SendCallback {
  return (error) => {
    onTransmitted(error)
    message.flushed(error)
  }
}

/** The arguments of a `send` with the message's context in the text, if the connection has terms. */
export function injectInto(
  own: Methods,
  args: ArrayLike<unknown>,
  connection: Connection,
  binary: boolean,
  message: OutgoingMessage | undefined,
  fragments?: PartialMessage,
): ArrayLike<unknown> {
  if (connection.terms === undefined || binary || !own.isHostSend) return args
  const data =
    fragments === undefined
      ? connection.injectContext(args[0], message)
      : connection.injectIntoFirstFragment(args[0], fragments)
  return data === args[0] ? args : [data, ...Array.prototype.slice.call(args, 1)]
}
