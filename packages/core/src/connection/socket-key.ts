/** Key of the connection on its socket. Registered, so that ESM and CJS copies of this package agree. */
export const CONNECTION: unique symbol = Symbol.for('otel-ws.connection') as never

/** Removes a connection from its socket. */
export function removeConnection(socket: object): void {
  delete (socket as { [CONNECTION]?: unknown })[CONNECTION]
}
