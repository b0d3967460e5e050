import type { Telemetry } from '@otel-ws/core/adapter'
import type { Namespace } from './host.ts'

const TELEMETRY = Symbol.for('otel-ws.socket.io.middleware')

/** Stores its telemetry on a middleware, so that it is found before its first call. */
export function markMiddleware<M extends object>(middleware: M, telemetry: Telemetry): M {
  return Object.defineProperty(middleware, TELEMETRY, { value: telemetry })
}

/** Returns the telemetry of the namespace's first middleware that `traceSocket()` has created. */
export function ownTelemetry({ _fns }: Namespace): Telemetry | undefined {
  for (const middleware of _fns ?? []) {
    const telemetry = (middleware as { [TELEMETRY]?: Telemetry })[TELEMETRY]
    if (telemetry !== undefined) return telemetry
  }
  return undefined
}
