import { runInContext } from '../api/context.ts'
import type { ClientProcess } from './process.ts'

/**
 * Calls `dispatch` in the context of a process, which is over when all that it left pending has settled. Takes its
 * arguments one by one so that no closure is made per message. Returns and throws what `dispatch` returns and throws.
 */
export function runProcess<A, B, C, R>(
  process: ClientProcess,
  dispatch: (process: ClientProcess, a: A, b: B, c: C) => R,
  a: A,
  b: B,
  c: C,
): R {
  try {
    return process.span === undefined && !process.isQuiet
      ? dispatch(process, a, b, c)
      : runInContext(process, dispatch, process, a, b, c)
  } catch (error) {
    process.fail(error)
    throw error
  } finally {
    process.done()
  }
}
