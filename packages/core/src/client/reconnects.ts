import type { SpanContext } from '@opentelemetry/api'

/** A connection that was lost, and what has been done to replace it. */
export interface Lost {
  readonly target: string
  /** Of the connect span of the connection that was lost, when it had one. */
  readonly handshake: SpanContext | undefined
  readonly at: number
  /** Connects that were tried since. */
  attempts: number
}

/** Lost connections that are remembered: beyond it the oldest are forgotten. */
const MAX_LOST = 100

const lost: Lost[] = []

/**
 * A connection was lost, closed by anything but a good-bye of the application's, or could not be made. The next socket for
 * the same target replaces it.
 *
 * @param handshake of its connect span
 * @param earlier connection that it was to replace
 */
export function lose(target: string, handshake?: SpanContext, earlier?: Lost): void {
  lost.push(earlier ?? { target, handshake, at: performance.now(), attempts: 0 })
  if (lost.length > MAX_LOST) lost.shift()
}

/** The lost connection that a new socket for this target replaces, the latest first; it is no longer lost then. */
export function replaces(target: string): Lost | undefined {
  const found = lost.findLast((connection) => connection.target === target)
  if (found !== undefined) {
    lost.splice(lost.indexOf(found), 1)
    found.attempts++
  }
  return found
}
