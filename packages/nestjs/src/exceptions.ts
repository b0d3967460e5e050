import { Catch, UseFilters } from '@nestjs/common'
import { activeProcess, type Process, setErrorType } from '@otel-ws/core/adapter'
import type { GatewayClass } from './gateway.ts'

/** Records that the processing of a message failed. `error.type` is the code of a `WsException`, if it has one. */
export function recordFailure(process: { fail(error: unknown): void }, error: unknown): void {
  if (error instanceof Error) setTypeToCode(error as Error & { getError?: unknown })
  process.fail(error)
}

function setTypeToCode(error: Error & { getError?: unknown }): void {
  if (typeof error.getError !== 'function') return
  try {
    const code = (error.getError() as { code?: unknown } | null)?.code
    if (typeof code === 'string' || typeof code === 'number') setErrorType(error, String(code))
  } catch {
    // `getError` was overridden by the application and throws: the class name is the type then.
  }
}

/**
 * True for errors of the server. Not for those with which an application of Nest refuses a message: a `WsException`, as a
 * guard that denies throws, and an `HttpException` below 500, as its own pipes throw. By their methods, because there may be
 * several copies of Nest's packages.
 */
export function isServerError(error: unknown): boolean {
  if (!(error instanceof Error)) return true
  const { getError, getStatus } = error as { getError?: unknown; getStatus?: unknown }
  if (typeof getStatus === 'function') {
    try {
      const status: unknown = getStatus.call(error)
      return typeof status !== 'number' || status >= 500
    } catch {
      return true
    }
  }
  return typeof getError !== 'function'
}

/** An exception that Nest passed to the exception filters, and the message that was being processed then. */
interface SeenException {
  readonly exception: unknown
  readonly process: Process | undefined
  readonly functionName: string
}

/** Set until the stream that failed ends, or until the end of the current synchronous run. */
let exceptionOfCurrentRun: SeenException | undefined

/**
 * Records the exception that Nest passed to the exception filters in the current synchronous run, if there is one. When
 * a stream fails, Nest calls the filters and completes the stream in one run, in the context of the stream's source: only
 * the stream that ends knows the message it belongs to.
 */
export function recordSeenException(process: Process): void {
  if (exceptionOfCurrentRun === undefined) return
  const { exception, functionName } = exceptionOfCurrentRun
  exceptionOfCurrentRun = undefined
  process.handledBy(functionName)
  recordFailure(process, exception)
}

/** Records an exception that ended no stream on the message that was being processed. */
function recordRemaining(): void {
  const { process } = exceptionOfCurrentRun ?? {}
  if (process !== undefined) recordSeenException(process)
  exceptionOfCurrentRun = undefined
}

const observed = new WeakSet<object>()

/**
 * Observes the exceptions of a gateway's message handlers, whether guards, interceptors, pipes or the handler threw them.
 * Nest tests each exception with `instanceof` against the classes that a filter catches. The filter that is added here
 * catches a class whose `Symbol.hasInstance` records the exception and returns false, so the application's filters handle
 * it as before. The filter holds no reference to an application.
 */
export function observeExceptions(gateway: GatewayClass): void {
  for (const [name, method] of gateway.methods) {
    if (observed.has(method)) continue
    observed.add(method)
    const functionName = `${gateway.name}.${name}`
    const matchesNothing = {
      [Symbol.hasInstance](exception: unknown): boolean {
        recordRemaining()
        exceptionOfCurrentRun = { exception, process: activeProcess(), functionName }
        queueMicrotask(recordRemaining)
        return false
      },
    }
    class ExceptionObserver {
      catch(): void {}
    }
    Catch(matchesNothing as never)(ExceptionObserver)
    // Nest tests the filters of a method from last to first, before those of the gateway.
    UseFilters(new ExceptionObserver())(gateway.prototype, name, { value: method })
  }
}
