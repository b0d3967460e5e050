import type { EventEmitter } from 'node:events'
import type { Duplex } from 'node:stream'
import { type Handshake, startHandshake, type Telemetry, wrapMethod } from '@otel-ws/core/adapter'

export { startHandshake } from '@otel-ws/core/adapter'

/** The members of an upgrade request that are read; `http.IncomingMessage` has them. */
export type Request = Parameters<Telemetry['handshake']>[0]

/**
 * Sees the upgrade requests of an http server before its listeners do, and runs them in the handshake's context. No
 * listener is added: a server without `upgrade` listeners answers such requests as plain ones, and must go on doing so.
 *
 * @param create makes the handshake of a request; `undefined` leaves the request alone
 * @returns a function that takes the server's `emit` back
 */
export function watchUpgrades(server: EventEmitter, create: (request: Request) => Handshake | undefined): () => void {
  const { emit } = server

  function watchedEmit(this: EventEmitter, type: string | symbol, request?: Request, socket?: Duplex): boolean {
    const args = arguments as unknown as Parameters<EventEmitter['emit']>
    if (type !== 'upgrade' || socket === undefined || !asksForWebSocket(request)) return emit.apply(this, args)
    const handshake = startHandshake(request, socket, () => create(request))
    return handshake === undefined ? emit.apply(this, args) : handshake.run(() => emit.apply(this, args))
  }

  return wrapMethod(server, 'emit', watchedEmit)
}

function asksForWebSocket(request: Request | undefined): request is Request {
  const upgrade = request?.headers['upgrade']
  return typeof upgrade === 'string' && upgrade.toLowerCase() === 'websocket'
}
