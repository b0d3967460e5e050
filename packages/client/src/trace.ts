import {
  ClientConnection,
  type ClientOptions,
  ClientTelemetry,
  Connect,
  connectedPropagation,
  tracedConnection as serverRecordOf,
  warn,
} from '@otel-ws/core/client'
import { watchPage } from './page.ts'
import { OPEN, type WebSocketLike } from './socket.ts'
import { storeConnection, tracedConnection } from './store.ts'
import { SCOPE } from './version.ts'

/** Puts the telemetry of a connection into a socket of one kind. */
export type TraceHost = (socket: WebSocketLike, connection: ClientConnection) => void

/** Finds the connect that began before its socket was there. */
export type FindPendingConnect = (telemetry: ClientTelemetry, url: string) => Connect | undefined

/** Traces a socket, unless it is traced already, on either end. */
export function trace<S extends WebSocketLike>(
  socket: S,
  options: ClientOptions | undefined,
  traceHost: TraceHost,
  findBegun: FindPendingConnect = (telemetry, url) => connectedPropagation()?.pendingConnect(telemetry, url),
): S {
  const telemetry = new ClientTelemetry(options, SCOPE)
  const { enabled, meterProvider, metrics, propagation } = telemetry.options
  if (enabled === false || serverRecordOf(socket) !== undefined) return socket
  if (tracedConnection(socket) !== undefined || !Object.isExtensible(socket)) {
    warn('this socket is traced already, or cannot be')
    return socket
  }
  if (propagation === 'always' && !connectedPropagation()) warn("a page needs traceUrl for propagation 'always'")
  if (meterProvider && !metrics) warn('a page needs metrics for meterProvider')
  const connect = findBegun(telemetry, socket.url) ?? new Connect(telemetry, socket.url)
  const connection = new ClientConnection(connect, socket)
  storeConnection(socket, connection)
  traceHost(socket, connection)
  if (socket.readyState === OPEN) connection.opened(socket.protocol)
  watchPage(connection)
  return socket
}
