import { activeContext, runInContext } from '../api/context.ts'
import { spanOf, spanScopeOf, withoutSpan } from '../context/span-scope.ts'
import { HandshakeScope } from './handshake.ts'

/** Runs `fn` outside of an ended handshake, whose context the host's timers have kept. */
export function outsideEndedHandshake<R>(fn: () => R): R {
  const active = activeContext()
  const frame = spanScopeOf(active)
  if (!(frame instanceof HandshakeScope) || !frame.ended) return fn()
  const span = spanOf(active)
  return span !== undefined && frame.owns(span) ? runInContext(withoutSpan(active), fn) : fn()
}
