import type { SpanContext } from '@opentelemetry/api'

/** A connection that was lost, and what has been done to replace it. */
export interface Lost {
  /** Of the connect span of the connection that was lost, when it had one. */
  readonly handshake: SpanContext | undefined
  readonly at: number
  /** Connects that were tried since. */
  attempts: number
}

/** Lost connections of one target, and targets, that are remembered: beyond it the oldest are forgotten. */
const MAX_LOST = 100

const targets = new Map<string, Lost[]>()

/**
 * A connection to a target was lost: closed by anything but a good-bye of the application's. The next socket for the same
 * target replaces it.
 */
export function lose(target: string, lost: Lost): void {
  const all = targets.get(target) ?? []
  all.push(lost)
  if (all.length > MAX_LOST) all.shift()
  targets.delete(target)
  targets.set(target, all)
  for (const oldest of targets.keys()) {
    if (targets.size <= MAX_LOST) break
    targets.delete(oldest)
  }
}

/** The lost connection that a new socket for this target replaces, the latest first; it is no longer lost then. */
export function replaces(target: string): Lost | undefined {
  const all = targets.get(target)
  const lost = all?.pop()
  if (all?.length === 0) targets.delete(target)
  if (lost !== undefined) lost.attempts++
  return lost
}
