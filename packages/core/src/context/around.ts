import type { HandlerInfo, TelemetryOptions } from '../options/types.ts'
import { whenSettled } from './promises.ts'

type Around = NonNullable<TelemetryOptions['around']>

/**
 * Calls hook `around` with a function that runs `code`, and returns or throws what `code` returns or throws. The code runs
 * exactly once and before this returns, whatever the hook does.
 *
 * @param report called with errors of the hook's own
 */
export function runAround<R>(around: Around, info: HandlerInfo, report: (error: unknown) => void, code: () => R): R {
  let hasRun = false
  let hasThrown = false
  let result: R | undefined
  let failure: unknown
  function run(): unknown {
    if (!hasRun) {
      hasRun = true
      try {
        result = code()
      } catch (error) {
        hasThrown = true
        failure = error
      }
    }
    if (hasThrown) throw failure
    return result
  }
  const reportOwn = (error: unknown) => {
    if (!hasThrown || error !== failure) report(error)
  }
  try {
    whenSettled(around(run, info), undefined, reportOwn)
  } catch (error) {
    reportOwn(error)
  }
  if (!hasRun) {
    report(new Error('it did not call run() before it returned'))
    return run() as R
  }
  if (hasThrown) throw failure
  return result as R
}
