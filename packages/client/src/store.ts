import {
  type ClientConnection,
  type ClientConnectionContext,
  connectionContext,
  hiddenProperty,
} from '@otel-ws/core/client'

/** Registered, so that copies of this package see each other's records. */
const CONNECTION = Symbol.for('otel-ws.client')

/** The record of a traced client's connection, or `undefined` when the socket is not traced. */
export function connectionOf(socket: object): ClientConnectionContext | undefined {
  const connection = tracedConnection(socket)
  return connection && connectionContext(connection)
}

export function tracedConnection(socket: object): ClientConnection | undefined {
  return (socket as { [CONNECTION]?: ClientConnection })[CONNECTION]
}

/** Stores a connection's record on its socket: the claim that keeps a second call from counting it again. */
export function storeConnection(socket: object, connection: ClientConnection): void {
  Object.defineProperty(socket, CONNECTION, hiddenProperty(connection))
}
