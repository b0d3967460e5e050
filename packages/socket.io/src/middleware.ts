import type { TelemetryOptions } from '@otel-ws/core'
import { createTelemetry } from '@otel-ws/core/adapter'
import { wrapMethod } from '@otel-ws/core/node'
import type { Socket } from 'socket.io'
import { driver } from './driver.ts'
import type { Socket as HostSocket, NamespaceMiddleware } from './host.ts'
import type { TracedNamespace } from './namespace.ts'
import { messageOf } from './namespace-handshakes.ts'
import { markMiddleware } from './own-middleware.ts'
import { traceByMiddleware } from './server.ts'
import { SCOPE } from './version.ts'

/** Middleware of a namespace, for `io.use()`. */
export interface SocketTracing {
  (socket: Socket, next: () => void): void
  /** Ends every span that is still open and flushes the SDK. Call it when the process stops. */
  shutdown(): Promise<void>
}

/**
 * Creates a middleware that traces a server from the first socket of its default namespace on: `io.use(traceSocket())`.
 * `io.of('/chat').use(traceSocket())` traces that namespace alone, and its options hold there. Register it before other
 * middleware, so that the first handshake span includes their time. To trace a server before its first client, use
 * {@link traceSocketServer}.
 *
 * @throws OptionError for wrong options
 */
export function traceSocket(options: TelemetryOptions = {}): SocketTracing {
  const telemetry = createTelemetry(options, SCOPE, driver)
  let hasWarned = false

  function traceSocketMiddleware(this: unknown, socket: Socket, next: () => void): void {
    const host = socket as unknown as HostSocket
    const traced = traceByMiddleware(host.nsp, telemetry)
    if (traced !== undefined && traced.telemetry !== telemetry && !hasWarned) {
      hasWarned = true
      telemetry.warnTracedAlready(`namespace ${host.nsp.name}`, traced.telemetry)
    }
    if (traced === undefined || traced.isJoining(host)) {
      next()
      return
    }
    // `run` of the namespace was not wrapped yet when it was called for this socket.
    const handshake = traced.handshakeOf(host)
    if (handshake === undefined) next()
    else {
      observeRejection(this, traceSocketMiddleware, host, traced)
      handshake.run(next)
    }
  }

  const middleware = markMiddleware(traceSocketMiddleware, telemetry)
  return Object.assign(middleware, { shutdown: () => telemetry.shutdown() })
}

/**
 * Records a rejection of a socket by the middleware behind the present one.
 *
 * @param run `this` of the present middleware: Socket.IO calls it as an element of an array that it has created for this
 * socket, so that its other elements can be replaced
 */
function observeRejection(run: unknown, present: object, socket: HostSocket, traced: TracedNamespace): void {
  const index = Array.isArray(run) ? run.indexOf(present) : -1
  if (index === -1) observeError(socket, traced)
  else {
    const middleware = run as NamespaceMiddleware[]
    for (let at = index + 1; at < middleware.length; at++) {
      middleware[at] = observed(middleware[at] as NamespaceMiddleware, traced)
    }
  }
}

function observed(middleware: NamespaceMiddleware, traced: TracedNamespace): NamespaceMiddleware {
  return function (this: unknown, socket, next) {
    return middleware.call(this, socket, (error) => {
      if (error) traced.refuse(socket, error)
      return next(error)
    })
  }
}

/** Records a rejection by what the client is sent, if the application calls the middleware itself. */
function observeError(socket: HostSocket, traced: TracedNamespace): void {
  const { _error } = socket
  wrapMethod(socket, '_error', function error(this: HostSocket, reason: unknown): unknown {
    traced.handshakeOf(socket)?.refuse(undefined, 'Error', typeof reason === 'string' ? reason : messageOf(reason))
    return _error.apply(this, arguments as never)
  })
}
