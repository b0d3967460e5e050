import type { TelemetryOptions } from '@otel-ws/core'
import { createTelemetry } from '@otel-ws/core/adapter'
import { wrapMethod } from '@otel-ws/core/node'
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
 * Creates a middleware that traces the namespaces that use it: `io.use(traceSocket())`. Register it before other
 * middleware, so that the handshake span includes their time and rejections. To trace a whole server, with the handshakes
 * of its connections, use {@link traceSocketServer}.
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
    const handshake = traceNamespace(host.nsp, telemetry).handshakeOf(host)
    if (handshake === undefined) {
      next()
      return
    }
    // For the first socket `run` of the namespace was not wrapped in time: a rejection is seen by the error it is sent.
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
