import type { TelemetryOptions } from '@otel-ws/core'
import { createTelemetry, wrapMethod } from '@otel-ws/core/adapter'
import type { Socket } from 'socket.io'
import { driver } from './driver.ts'
import type { Socket as HostSocket } from './host.ts'
import { tracedNamespace, traceNamespace } from './namespace.ts'
import { SCOPE } from './version.ts'

/** Middleware of a namespace, for `io.use()`. */
export interface SocketTracing {
  (socket: Socket, next: () => void): void
  /** Ends every span that is still open and flushes the SDK. Call it when the process stops. */
  shutdown(): Promise<void>
}

/**
 * Traces the namespaces that use it: `io.use(traceSocket())`. Use it before other middleware, whose time and rejections
 * it tells. For a whole server, and for the handshakes of the connections below, use {@link traceSocketServer}.
 *
 * @throws OptionError for wrong options
 */
export function traceSocket(options: TelemetryOptions = {}): SocketTracing {
  const telemetry = createTelemetry(options, SCOPE, driver)

  function traceSocketMiddleware(socket: Socket, next: () => void): void {
    if (!telemetry.options.enabled) {
      next()
      return
    }
    const host = socket as unknown as HostSocket
    const isFirst = tracedNamespace(host.nsp) === undefined
    const handshake = traceNamespace(host.nsp, telemetry).joining(host)
    if (handshake === undefined) {
      next()
      return
    }
    // The chain of middleware runs already: of the first socket only the answer to the client tells a rejection.
    if (isFirst) {
      const { _error } = host
      wrapMethod(host, '_error', function error(this: HostSocket, reason: unknown): void {
        handshake.refuse(undefined, 'Error')
        _error.call(this, reason)
      })
    }
    handshake.run(next)
  }

  return Object.assign(traceSocketMiddleware, { shutdown: () => telemetry.shutdown() })
}
