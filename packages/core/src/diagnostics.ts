import { type DiagLogger, diag } from '@opentelemetry/api'

const logger: DiagLogger = diag.createComponentLogger({ namespace: 'otel-ws' })
const told = new Set<string>()

/** Warns through the OpenTelemetry `diag` logger, once per subject, so that a fault per message is not a line per message. */
export function warnOnce(subject: string, message: string, error?: unknown): void {
  if (told.has(subject)) return
  told.add(subject)
  logger.warn(message, error)
}

/**
 * Calls a hook of the user. A hook that throws is reported once under its name and changes nothing else: the call
 * returns `undefined`. A promise it returns is not awaited; its rejection is reported the same way.
 */
export function guard<A extends unknown[], R>(name: string, hook: (...args: A) => R, ...args: A): R | undefined {
  try {
    const result = hook(...args)
    if (result instanceof Promise) result.catch((error: unknown) => hookFailed(name, error))
    return result
  } catch (error) {
    hookFailed(name, error)
    return undefined
  }
}

function hookFailed(name: string, error: unknown): void {
  warnOnce(`hook ${name}`, `option ${name}: the hook threw; further errors of this hook are not reported`, error)
}

/** The `error.type` of anything that can be thrown: a string `code`, else the class name, else the type of the value. */
export function errorType(error: unknown): string {
  try {
    if (error instanceof Error) {
      const code = (error as { code?: unknown }).code
      if (typeof code === 'string' && code.length > 0 && code.length <= 64) return code
      const name = error.constructor.name || error.name
      return typeof name === 'string' && name.length > 0 ? name.slice(0, 64) : 'Error'
    }
    return error === null ? 'null' : typeof error
  } catch {
    return 'Error'
  }
}
