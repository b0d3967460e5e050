import {
  asks,
  begunWith,
  ClientConnection,
  type ClientOptions,
  ClientTelemetry,
  Connect,
  messageContextInUse,
  OptionError,
  recordOf as serverRecordOf,
  warn,
} from '@otel-ws/core/client'
import { watchPage } from './page.ts'
import { claim, recordOf } from './record.ts'
import { OPEN, type WebSocketLike } from './socket.ts'
import { SCOPE } from './version.ts'

/** Puts the telemetry of a connection into a socket of one kind. */
export type Seam = (socket: WebSocketLike, connection: ClientConnection) => void

/**
 * Traces a socket by its seam; one that is traced already, on either end, is left as it is.
 *
 * @param findBegun finds the connect that began before its socket was there
 */
export function trace<S extends WebSocketLike>(
  socket: S,
  options: ClientOptions | undefined,
  seam: Seam,
  findBegun: () => Connect | undefined = () => begunWith(socket.url),
): S {
  const telemetry = new ClientTelemetry(options, SCOPE)
  if (!telemetry.options.enabled || serverRecordOf(socket) !== undefined) return socket
  if (recordOf(socket) !== undefined || !Object.isExtensible(socket)) {
    warn('this WebSocket is traced already, or cannot be: the call has no effect')
    return socket
  }
  if (telemetry.options.propagation === 'always' && !messageContextInUse()) {
    throw new OptionError('propagation', 'always needs traceUrl in a page')
  }
  const begun = findBegun()
  begun?.adopt(telemetry, socket.url)
  const connection = new ClientConnection(begun ?? new Connect(telemetry, socket.url), socket)
  if (asks(socket.url)) connection.messages?.asked()
  claim(socket, connection)
  seam(socket, connection)
  if (socket.readyState === OPEN) connection.opened(socket.protocol)
  watchPage(connection)
  return socket
}
