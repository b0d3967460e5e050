import type { Handshake } from './handshake.ts'
import type { AnyUpgradeRequest } from './request.ts'

/** Registered, so that ESM and CJS copies of this package agree. */
const HANDSHAKE = Symbol.for('otel-ws.handshake')

/** The handshake of an upgrade request that was seen before. */
export function handshakeOf(request: AnyUpgradeRequest): Handshake | undefined {
  return (request as { [HANDSHAKE]?: Handshake })[HANDSHAKE]
}

/** The handshake of a request that no server has taken yet. */
export function unclaimedHandshakeOf(request: AnyUpgradeRequest): Handshake | undefined {
  const known = handshakeOf(request)
  return known?.unclaimed ? known : undefined
}

/** Stores a handshake on its request, so that it is not started again when another adapter sees the request. */
export function storeHandshake(request: AnyUpgradeRequest, handshake: Handshake): void {
  Object.defineProperty(request, HANDSHAKE, { value: handshake, configurable: true, writable: true, enumerable: false })
}
