import { context } from '@opentelemetry/api'
import { spanOf, spanScopeOf, withoutSpan } from '../context/span-scope.ts'
import { HandshakeScope } from './handshake.ts'

/** Binds a function to the active context. */
export function bindContext<F extends (...args: never[]) => unknown>(fn: F): F {
  return context.bind(context.active(), fn)
}

/** Runs `fn` outside of an ended handshake, whose context the host's timers have kept. */
export function outsideEndedHandshake<R>(fn: () => R): R {
  const active = context.active()
  const frame = spanScopeOf(active)
  if (!(frame instanceof HandshakeScope) || !frame.ended) return fn()
  const span = spanOf(active)
  return span !== undefined && frame.owns(span) ? context.with(withoutSpan(active), fn) : fn()
}
