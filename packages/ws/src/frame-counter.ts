import type { IncomingMessage } from '@otel-ws/core/adapter'
import { wrapMethod } from '@otel-ws/core/node'
import type { WebSocket } from 'ws'

/** The part of the receiver of `ws` that handles a data frame; it is private. */
interface Receiver {
  readonly _fin: boolean
  dataMessage?(this: Receiver, done: unknown): unknown
}

interface FrameCounter {
  /** Frames of the message that the receiver has completed last. */
  completed: IncomingMessage['frames']
  stop(): void
}

const counters = new WeakMap<WebSocket, FrameCounter>()

/**
 * Counts the frames of each message that a socket receives, and measures the time from the first to the last; for option
 * `frames`. It wraps a private method of `ws`: with a version that has no such method, nothing is recorded.
 */
export function countFrames(socket: WebSocket): void {
  const receiver = (socket as { _receiver?: Receiver })._receiver
  const own = receiver?.dataMessage
  if (receiver === undefined || typeof own !== 'function') return
  const counter: FrameCounter = { completed: undefined, stop: () => unwrap() }
  let frames = 0
  let firstAt = 0

  function dataMessage(this: Receiver, done: unknown): unknown {
    const now = performance.now()
    if (++frames === 1) firstAt = now
    if (this._fin) {
      counter.completed = { frames, receiveTime: (now - firstAt) / 1000 }
      frames = 0
    }
    return (own as (this: Receiver, done: unknown) => unknown).call(this, done)
  }

  const unwrap = wrapMethod(receiver, 'dataMessage', dataMessage)
  counters.set(socket, counter)
}

/** The frames of the message that the socket is emitting. */
export function framesOf(socket: WebSocket): IncomingMessage['frames'] {
  return counters.get(socket)?.completed
}

/** Removes the wrapper of a socket's receiver. */
export function stopCountingFrames(socket: WebSocket): void {
  counters.get(socket)?.stop()
}
