import { type Connection, wrapMethod } from '@otel-ws/core/adapter'
import type { WebSocket } from 'ws'

/** The part of `ws`'s receiver that is told of each data frame, which `ws` keeps private. */
interface Receiver {
  readonly _fin: boolean
  dataMessage?(this: Receiver, done: unknown): unknown
}

/**
 * Counts the frames of each message that a socket receives, and the time from the first to the last; for option `frames`.
 * `ws` has no public seam for it: on a version whose receiver works otherwise, messages have no such attributes.
 */
export function countFrames(socket: WebSocket, connection: Connection): void {
  const receiver = (socket as { _receiver?: Receiver })._receiver
  const own = receiver?.dataMessage
  if (receiver === undefined || typeof own !== 'function') return
  let frames = 0
  let firstAt = 0
  function dataMessage(this: Receiver, done: unknown): unknown {
    const now = performance.now()
    if (++frames === 1) firstAt = now
    if (this._fin) {
      connection.setIncomingFrames({ frames, receiveTime: (now - firstAt) / 1000 })
      frames = 0
    }
    return (own as (this: Receiver, done: unknown) => unknown).call(this, done)
  }
  counting.set(socket, wrapMethod(receiver, 'dataMessage', dataMessage))
}

const counting = new WeakMap<WebSocket, () => void>()

/** Gives the receiver of a socket its own method back. */
export function uncountFrames(socket: WebSocket): void {
  counting.get(socket)?.()
}
