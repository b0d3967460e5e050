import { Catch, UseFilters } from '@nestjs/common'
import { activeProcess, giveErrorType } from '@otel-ws/core/adapter'
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
    if (typeof code === 'string' || typeof code === 'number') giveErrorType(error, String(code))
  } catch {
    // An override of the application's own that throws: the class name will do.
  }
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
        const process = activeProcess()
        process?.handledBy(functionName)
        if (process !== undefined) failWith(process, exception)
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
