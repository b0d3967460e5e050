import { activeContext, runInContext } from '../api/context.ts'
import { runAround } from '../context/around.ts'
import { isFollowable, whenSettled } from '../context/promises.ts'
import { spanScopeOf } from '../context/span-scope.ts'
import { ClientProcess } from './process.ts'

type Dispatch<A, B, C, R> = (process: ClientProcess, a: A, b: B, c: C) => R

/** Set while handlers run synchronously: not every page has a context manager. */
let processOfCurrentRun: ClientProcess | undefined

/**
 * Calls `dispatch` in the context of a process, which is over when all that it left pending has settled. Takes its
 * arguments one by one so that no closure is made per message. Returns and throws what `dispatch` returns and throws.
 */
export function runProcess<A, B, C, R>(process: ClientProcess, dispatch: Dispatch<A, B, C, R>, a: A, b: B, c: C): R {
  try {
    return runHandlers(process, dispatch, a, b, c)
  } catch (error) {
    process.fail(error)
    throw error
  } finally {
    process.done()
  }
}

/** As `runProcess`, for a part of the handlers: the process goes on, and a failure is not recorded. */
export function runHandlers<A, B, C, R>(process: ClientProcess, dispatch: Dispatch<A, B, C, R>, a: A, b: B, c: C): R {
  return process.owner.telemetry.options.around === undefined
    ? runInScope(process, dispatch, a, b, c)
    : runWithHook(process, dispatch, a, b, c)
}

/** Apart from `runHandlers`, whose variables would be objects on the heap if closures used them. */
function runWithHook<A, B, C, R>(process: ClientProcess, dispatch: Dispatch<A, B, C, R>, a: A, b: B, c: C): R {
  const { telemetry } = process.owner
  const around = telemetry.options.around as NonNullable<typeof telemetry.options.around>
  const report = (error: unknown): void => telemetry.hookFailed('around', error)
  const surrounded = (): R => runAround(around, process.handlerInfo, report, () => dispatch(process, a, b, c))
  return runInScope(process, surrounded, undefined, undefined, undefined)
}

function runInScope<A, B, C, R>(process: ClientProcess, dispatch: Dispatch<A, B, C, R>, a: A, b: B, c: C): R {
  const outer = processOfCurrentRun
  processOfCurrentRun = process
  try {
    return process.span === undefined && !process.isQuiet
      ? dispatch(process, a, b, c)
      : runInContext(process, dispatch, process, a, b, c)
  } finally {
    processOfCurrentRun = outer
  }
}

/** Keeps the process of a connection that the calling code is part of open until a promise has settled. */
export function keepOpenUntil(connection: object, promise: unknown): void {
  const followed = isFollowable(promise) ? promise : Promise.resolve(promise)
  const active = spanScopeOf(activeContext())
  const process = active instanceof ClientProcess ? active : processOfCurrentRun
  if (process?.owner === connection && !process.settled) process.follow(followed, undefined, true)
  else whenSettled(followed, undefined, () => {})
}
