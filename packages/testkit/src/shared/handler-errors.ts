import type { ProcessError } from '../testing/process-errors.ts'

/**
 * What becomes of an error of a user's handler. `crash`: the process sees what the handler did, an uncaught exception or an
 * unhandled rejection; `rejection`: it sees an unhandled rejection in either case; `caught`: the host logs what was thrown,
 * and the process sees rejections; `handled`: the host handles both.
 */
export type HandlerErrors = 'crash' | 'rejection' | 'caught' | 'handled'

/** The event of the process that an error of a handler makes; undefined where the host handles it. */
export function errorEvent(errors: HandlerErrors, thrown: boolean): ProcessError['event'] | undefined {
  if (errors === 'handled' || (errors === 'caught' && thrown)) return undefined
  return errors === 'crash' && thrown ? 'uncaughtException' : 'unhandledRejection'
}
