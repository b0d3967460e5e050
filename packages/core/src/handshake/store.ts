import type { Handshake } from './handshake.ts'
import type { AnyUpgradeRequest } from './request.ts'

/** Registered, so that ESM and CJS copies of this package agree. */
const HANDSHAKE = Symbol.for('otel-ws.handshake')

/** The handshake of an upgrade request that was seen before. */
export function handshakeOf(request: AnyUpgradeRequest): Handshake | undefined {
  return (request as { [HANDSHAKE]?: Handshake })[HANDSHAKE]
}

/** Stores a handshake on its request, so that it is not started again when another adapter sees the request. */
export function storeHandshake(request: AnyUpgradeRequest, handshake: Handshake): void {
  Object.defineProperty(request, HANDSHAKE, { value: handshake, configurable: true, writable: true, enumerable: false })
}
