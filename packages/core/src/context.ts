import { context } from '@opentelemetry/api'

/** A function that runs in the context that is active now, whoever calls it. */
export function inThisContext<F extends (...args: never[]) => unknown>(fn: F): F {
  return context.bind(context.active(), fn)
}
