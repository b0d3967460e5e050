import type { Connection } from './connection.ts'
import type { ConnectionContext } from './context.ts'
import { CONNECTION } from './socket-key.ts'

/** The context of a traced connection; `undefined` if the socket is not traced. Always the same object for a socket. */
export function connectionOf(socket: object): ConnectionContext | undefined {
  return tracedConnection(socket)?.view()
}

/** The connection of a traced socket, for adapters. */
export function tracedConnection(socket: object): Connection | undefined {
  return (socket as { [CONNECTION]?: Connection })[CONNECTION]
}

/** Stores a connection on its socket. Other adapters that see the socket then leave it alone. */
export function storeConnection(socket: object, connection: Connection): void {
  Object.defineProperty(socket, CONNECTION, {
    value: connection,
    configurable: true,
    writable: true,
    enumerable: false,
  })
}
