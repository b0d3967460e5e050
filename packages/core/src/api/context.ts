import { type Context, context, ROOT_CONTEXT } from '@opentelemetry/api'
import { reportThrown } from './log.ts'

/** The active context; the root context if the context manager throws. */
export function activeContext(): Context {
  try {
    return context.active() ?? ROOT_CONTEXT
  } catch (error) {
    reportThrown('context.active()', error)
    return ROOT_CONTEXT
  }
}

type Code = (a: unknown, b: unknown, c: unknown, d: unknown) => unknown

/** One call of {@link runInContext} that has not returned. */
class Call {
  id = 0
  code: Code | undefined = undefined
  a: unknown = undefined
  b: unknown = undefined
  c: unknown = undefined
  d: unknown = undefined
  hasRun = false
  hasThrown = false
  /** What the code has returned or thrown. */
  result: unknown = undefined
}

/** Calls by their depth in the stack, used again and again: an object or a closure per message would be an allocation. */
const calls: Call[] = []
let depth = 0
let lastId = 0

/**
 * Calls `code` in a context with up to four arguments, and returns or throws what it returns or throws. It runs exactly
 * once and synchronously, whatever the context manager does: throw before it or after it, call it twice or never, or keep
 * its error.
 */
export function runInContext<R>(active: Context, code: () => R): R
export function runInContext<A, R>(active: Context, code: (a: A) => R, a: A): R
export function runInContext<A, B, R>(active: Context, code: (a: A, b: B) => R, a: A, b: B): R
export function runInContext<A, B, C, R>(active: Context, code: (a: A, b: B, c: C) => R, a: A, b: B, c: C): R
export function runInContext<A, B, C, D, R>(
  active: Context,
  code: (a: A, b: B, c: C, d: D) => R,
  a: A,
  b: B,
  c: C,
  d: D,
): R
export function runInContext(
  active: Context,
  code: (...args: never[]) => unknown,
  a?: unknown,
  b?: unknown,
  c?: unknown,
  d?: unknown,
): unknown {
  const call = callAt(depth)
  lastId = (lastId + 1) | 0
  const id = lastId
  call.id = id
  call.code = code as Code
  call.a = a
  call.b = b
  call.c = c
  call.d = d
  call.hasRun = false
  call.hasThrown = false
  depth++
  try {
    try {
      context.with(active, perform, undefined, call, id)
    } catch (error) {
      // The code's own error stays in `call`.
      reportThrown('context.with()', error)
    }
    if (!call.hasRun) perform(call, id)
  } finally {
    depth--
  }
  const { result, hasThrown } = call
  call.code = undefined
  call.a = undefined
  call.b = undefined
  call.c = undefined
  call.d = undefined
  call.result = undefined
  if (hasThrown) throw result
  return result
}

/** Does nothing for a call that has run, or that has returned long ago. */
function perform(call: Call, id: number): void {
  if (call.id !== id || call.hasRun) return
  call.hasRun = true
  try {
    call.result = (call.code as Code)(call.a, call.b, call.c, call.d)
  } catch (error) {
    call.hasThrown = true
    call.result = error
  }
}

function callAt(index: number): Call {
  let call = calls[index]
  if (call === undefined) {
    call = new Call()
    calls[index] = call
  }
  return call
}

/** Binds a function to the active context, as {@link runInContext} runs it. */
export function bindContext<F extends (...args: never[]) => unknown>(fn: F): F {
  const active = activeContext()
  function bound(this: unknown): unknown {
    return runInContext(active, applyTo, fn as (...args: never[]) => unknown, this, arguments)
  }
  return bound as unknown as F
}

function applyTo(fn: (...args: never[]) => unknown, self: unknown, args: IArguments): unknown {
  return fn.apply(self as never, args as never)
}
