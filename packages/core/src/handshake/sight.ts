import type { Context } from '@opentelemetry/api'
import { activeContext } from '../api/context.ts'
import { spanOf, withoutSpan, withSpan } from '../context/span-scope.ts'

/** When and in which context an upgrade request was seen first. A handshake that takes the request over keeps it. */
export interface Sight {
  /** By `performance.now()`. */
  readonly startTime: number
  /** The wall clock in whole milliseconds, as the SDK takes the time of spans that it starts itself. */
  readonly startedAt: number
  readonly base: Context
  /** `base` with the span that the client sent, in which listeners run while the request is unclaimed. */
  remote: Context | undefined
}

export function newSight(): Sight {
  return { startTime: performance.now(), startedAt: Date.now(), base: activeContext(), remote: undefined }
}

/**
 * The context that the span of a handshake is started in. At the outcome of an unclaimed request, what is active then has
 * nothing to do with it; else it is the active one, in which the span that the client sent is not taken for one of this
 * process.
 */
export function contextOf({ base, remote }: Sight, isUnclaimed: boolean): Context {
  if (isUnclaimed) return base
  const active = activeContext()
  if (remote === undefined || spanOf(active) !== spanOf(remote)) return active
  const span = spanOf(base)
  return span === undefined ? withoutSpan(active) : withSpan(active, span)
}
