import type { ProcessError } from '../testing/process-errors.ts'

/**
 * What becomes of an error of a user's handler. `crash`: the process sees what the handler did, an uncaught exception or an
 * unhandled rejection; `rejection`: it sees an unhandled rejection in either case; `handled`: the host handles it.
 */
export type HandlerErrors = 'crash' | 'rejection' | 'handled'

/** The event of the process that an error of a handler makes; undefined where the host handles it. */
export function errorEvent(errors: HandlerErrors, thrown: boolean): ProcessError['event'] | undefined {
  if (errors === 'handled') return undefined
  return errors === 'crash' && thrown ? 'uncaughtException' : 'unhandledRejection'
}
