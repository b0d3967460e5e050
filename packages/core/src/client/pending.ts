import type { Connect } from './connect.ts'

/** Connects that have begun and whose socket is yet to be traced; when there are more, the oldest is given up. */
const MAX_PENDING = 16
const pending = new Set<Connect>()

/** A connect has begun before its socket is made. */
export function postpone(connect: Connect): void {
  pending.add(connect)
  if (pending.size <= MAX_PENDING) return
  const [oldest] = pending
  oldest?.settle('abandoned')
  pending.delete(oldest as Connect)
}

/** The connect that began with this text: a URL, or the `traceparent` of a request. */
export function begunWith(text: string): Connect | undefined {
  return found(
    ({ spanContext }) => spanContext !== undefined && text.includes(`${spanContext.traceId}-${spanContext.spanId}`),
  )
}

/** The connect that began to this target. */
export function begunTo(target: string): Connect | undefined {
  return found((connect) => connect.target === target)
}

function found(matches: (connect: Connect) => boolean): Connect | undefined {
  for (const connect of pending) {
    if (!matches(connect)) continue
    pending.delete(connect)
    return connect
  }
  return undefined
}
