import type { Handshake } from '../handshake/handshake.ts'
import type { UpgradeRequest } from '../options/types.ts'
import type { Connection, ConnectionContext } from './connection.ts'

/** Registered symbols, so that ESM and CJS copies of this package see each other's records. */
const CONNECTION = Symbol.for('otel-ws.connection')
const HANDSHAKE = Symbol.for('otel-ws.handshake')

/** The record of a traced connection, or `undefined` when the socket is not traced. */
export function connectionOf(socket: object): ConnectionContext | undefined {
  return tracedConnection(socket)
}

/** The record of a traced connection, for adapters. */
export function tracedConnection(socket: object): Connection | undefined {
  return (socket as { [CONNECTION]?: Connection })[CONNECTION]
}

/** Stores a connection's record on its socket: the claim that keeps other adapters from counting it again. */
export function storeConnection(socket: object, connection: Connection): void {
  Object.defineProperty(socket, CONNECTION, {
    value: connection,
    configurable: true,
    writable: true,
    enumerable: false,
  })
}

/** Takes a connection's record from its socket. */
export function removeConnection(socket: object): void {
  delete (socket as { [CONNECTION]?: Connection })[CONNECTION]
}

/** The handshake of an upgrade request that was seen already. */
export function handshakeOf(request: UpgradeRequest): Handshake | undefined {
  return (request as { [HANDSHAKE]?: Handshake })[HANDSHAKE]
}

/** Stores a handshake on its request, so that whoever sees the request next does not tell it again. */
export function storeHandshake(request: UpgradeRequest, handshake: Handshake): void {
  Object.defineProperty(request, HANDSHAKE, { value: handshake, configurable: true, writable: true, enumerable: false })
}
