import { type DiagLogger, diag } from '@opentelemetry/api'

const logger: DiagLogger = diag.createComponentLogger({ namespace: 'otel-ws' })

/** Reports to OpenTelemetry's `diag` logger, once per subject: a fault per message must not be a line per message. */
export class Diagnostics {
  readonly #told = new Set<string>()

  /** A hook of the user threw. */
  hookFailed(name: string, error: unknown): void {
    hookFailed(this.#told, name, error)
  }

  /** What came with a message in a carrier's place was none, or said nothing valid. */
  carrierRefused(problem: string): void {
    carrierRefused(this.#told, problem)
  }

  /** The SDK could not export what was left at shutdown. */
  flushFailed(error: unknown): void {
    flushFailed(error)
  }
}

/** A hook of the user threw: reported unless it has been `told` before. */
export function hookFailed(told: Set<string>, name: string, error: unknown): void {
  warnOnce(told, `option ${name}: the hook threw (reported once)`, error)
}

/** What came with a message in a carrier's place was none, or said nothing valid: reported unless it has been `told` before. */
export function carrierRefused(told: Set<string>, problem: string): void {
  warnOnce(told, `a peer sent context that is ${problem}: it is not used (reported once)`)
}

/** The SDK could not export what was left at shutdown. */
export function flushFailed(error: unknown): void {
  logger.warn('the SDK could not flush', error)
}

function warnOnce(told: Set<string>, text: string, ...error: unknown[]): void {
  if (told.has(text)) return
  told.add(text)
  logger.warn(text, ...error)
}

/** Warns of a set-up that has no effect. */
export function warn(message: string): void {
  logger.warn(message)
}

const MAX_TYPE_LENGTH = 64

const givenTypes = new WeakMap<Error, string>()

/** Gives an error of the host's own kind, whose code is not where other errors have it, its `error.type`. */
export function setErrorType(error: Error, type: string): void {
  if (type.length > 0) givenTypes.set(error, type.slice(0, MAX_TYPE_LENGTH))
}

/** The `error.type` of anything that can be thrown: a string `code`, else the class name, else the type of the value. */
export function errorType(error: unknown): string {
  try {
    if (!(error instanceof Error)) return error === null ? 'null' : typeof error
    const { code } = error as { code?: unknown }
    const isType = typeof code === 'string' && code.length <= MAX_TYPE_LENGTH
    const type = givenTypes.get(error) || (isType && code) || error.constructor.name || error.name
    return String(type).slice(0, MAX_TYPE_LENGTH) || 'Error'
  } catch {
    return 'Error'
  }
}
