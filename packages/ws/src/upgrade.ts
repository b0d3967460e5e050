import type { EventEmitter } from 'node:events'
import type { Duplex } from 'node:stream'
import type { Handshake, Telemetry } from '@otel-ws/core/adapter'
import { startHandshake, wrapMethod } from '@otel-ws/core/node'

/** The members of an upgrade request that are read; `http.IncomingMessage` has them. */
export type Request = Extract<Parameters<Telemetry['handshake']>[0], { readonly socket?: unknown }>

/**
 * Wraps `emit` of an HTTP server, so that each upgrade request has a handshake before its listeners run, and runs them in
 * the handshake's context. No listener is added, because a server without `upgrade` listeners answers such requests as
 * plain ones.
 *
 * @param create creates the handshake of a request; `undefined` leaves the request alone
 * @returns a function that removes the wrapper
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
