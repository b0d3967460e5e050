import {
  type ClientOptions,
  ClientTelemetry,
  checkClientOptions,
  clientMetrics,
  clientPropagation,
  connectPropagation,
  warn,
  warnOfUnseenSdk,
} from '@otel-ws/core/client'
import type { Host } from './socket.io/host.ts'
import { traceHost } from './socket.io/socket.ts'
import { SCOPE } from './version.ts'

export { type ClientConnectionContext, type ClientOptions, OptionError } from '@otel-ws/core/client'
export { connectionOf } from './store.ts'

/** The members of a socket of `socket.io-client` by which it is known. */
export interface SocketLike {
  readonly connected: boolean
  readonly active: boolean
  connect(): unknown
}

const TRACED = Symbol.for('otel-ws.socket.io-client')

/**
 * Traces a socket of `socket.io-client`, that is one namespace: its connects, also those after a connection was lost, each
 * event with its acknowledgement, and each disconnect. For context in messages from the first connection on, trace it
 * before it connects: `traceSocket(io(url, { autoConnect: false })).connect()`.
 *
 * @returns the socket
 * @throws OptionError for wrong options
 */
export function traceSocket<S extends SocketLike>(socket: S, options: ClientOptions = {}): S {
  checkClientOptions(options)
  warnOfUnseenSdk()
  connectPropagation(clientPropagation)
  const telemetry = new ClientTelemetry({ ...options, metrics: options.metrics ?? clientMetrics }, SCOPE)
  if (telemetry.options.enabled === false) return socket
  if (Object.hasOwn(socket, TRACED)) {
    warn('this socket is traced already: the second call has no effect')
    return socket
  }
  Object.defineProperty(socket, TRACED, { value: true, enumerable: false })
  traceHost(socket as unknown as Host, telemetry)
  return socket
}
