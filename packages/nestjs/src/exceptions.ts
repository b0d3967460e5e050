import { Catch, UseFilters } from '@nestjs/common'
import { activeProcess, type Process, setErrorType } from '@otel-ws/core/adapter'
import type { GatewayClass } from './gateway.ts'

/** Tells the process of a message that it failed, with the code that the application gave to a `WsException`. */
export function failWith(process: { fail(error: unknown): void }, error: unknown): void {
  if (error instanceof Error) giveCode(error as Error & { getError?: unknown })
  process.fail(error)
}

function giveCode(error: Error & { getError?: unknown }): void {
  if (typeof error.getError !== 'function') return
  try {
    const code = (error.getError() as { code?: unknown } | null)?.code
    if (typeof code === 'string' || typeof code === 'number') setErrorType(error, String(code))
  } catch {
    // An override of the application's own that throws: the class name will do.
  }
}

/** An exception that filters have been asked about, and the message that was being processed then. */
interface SeenException {
  readonly exception: unknown
  readonly process: Process | undefined
  readonly functionName: string
}

let witnessed: SeenException | undefined

/**
 * Takes an exception that filters were asked about just now. When a stream fails, Nest asks them and ends the stream in
 * one go, in the context of whoever feeds the stream: whose message it is only the stream that ends can tell.
 */
export function takeSeenException(process: Process): void {
  if (witnessed === undefined) return
  const { exception, functionName } = witnessed
  witnessed = undefined
  process.handledBy(functionName)
  failWith(process, exception)
}

/** No stream has ended of it: the exception belongs to the message that was being processed. */
function settleWitnessed(): void {
  const { process } = witnessed ?? {}
  if (process !== undefined) takeSeenException(process)
  witnessed = undefined
}

const seen = new WeakSet<object>()

/**
 * Sees each exception on its way to the exception filters of a gateway's message handlers, whatever threw it: guards,
 * interceptors, pipes or the handler. Nest asks filters in turn for the classes they catch, with `instanceof`; ours says
 * no each time, so all exceptions go where they went without it. It keeps nothing and knows no application.
 */
export function watchExceptions(gateway: GatewayClass): void {
  for (const [name, method] of gateway.methods) {
    if (seen.has(method)) continue
    seen.add(method)
    const functionName = `${gateway.name}.${name}`
    const nothing = {
      [Symbol.hasInstance](exception: unknown): boolean {
        settleWitnessed()
        witnessed = { exception, process: activeProcess(), functionName }
        queueMicrotask(settleWitnessed)
        return false
      },
    }
    class Witness {
      catch(): void {}
    }
    Catch(nothing as never)(Witness)
    // The last filter of a method is asked first.
    UseFilters(new Witness())(gateway.prototype, name, { value: method })
  }
}
