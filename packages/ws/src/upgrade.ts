import type { EventEmitter } from 'node:events'
import type { Duplex } from 'node:stream'
import type { Handshake, Telemetry } from '@otel-ws/core/adapter'
import { copySignature, hiddenProperty, watchUpgrade } from '@otel-ws/core/node'

/** The members of an upgrade request that are read; `http.IncomingMessage` has them. */
export type Request = Extract<Parameters<Telemetry['handshake']>[0], { readonly socket?: unknown }>

type Emit = EventEmitter['emit']

/** What `@opentelemetry/instrumentation` stores on a wrapper. */
interface Wrapped {
  readonly __wrapped?: boolean
  readonly __original?: Emit
}

/**
 * Wraps `emit` of an HTTP server, or of a class of servers, so that each upgrade request is seen before its listeners run,
 * and runs them in the context that the client sent. No listener is added, because a server without `upgrade` listeners
 * answers such requests as plain ones.
 *
 * @param create creates the unclaimed handshake of a request; `undefined` leaves the request alone
 * @returns a function that removes the wrapper; if other code has wrapped it meanwhile, it stays and only calls the original
 */
export function watchUpgrades(server: EventEmitter, create: (request: Request) => Handshake | undefined): () => void {
  const before = Object.getOwnPropertyDescriptor(server, 'emit')
  let inner = server.emit
  let isWatching = true

  function watchedEmit(this: EventEmitter, type: string | symbol, request?: Request, socket?: Duplex): boolean {
    const args = arguments as unknown as Parameters<Emit>
    if (type !== 'upgrade' || !isWatching || socket === undefined || !asksForWebSocket(request)) {
      return inner.apply(this, args)
    }
    const handshake = watchUpgrade(request, socket, () => create(request))
    return handshake === undefined ? inner.apply(this, args) : handshake.run(() => inner.apply(this, args))
  }

  // An instrumentation that has wrapped `emit` before finds its wrapper here, and can remove it from below.
  Object.defineProperties(copySignature(watchedEmit, inner), {
    __wrapped: { get: () => (inner as Wrapped).__wrapped },
    __original: { get: () => (inner as Wrapped).__original },
    __unwrap: {
      get: () =>
        (inner as Wrapped).__wrapped
          ? () => {
              inner = (inner as Wrapped).__original as Emit
            }
          : undefined,
    },
  })
  const own = inner
  Object.defineProperty(server, 'emit', hiddenProperty(watchedEmit))
  return () => {
    isWatching = false
    if (server.emit !== watchedEmit) return
    // What was wrapped below has been removed meanwhile, or is put back.
    if (before === undefined || inner !== own) delete (server as { emit?: Emit }).emit
    if (server.emit !== inner)
      Object.defineProperty(server, 'emit', { ...hiddenProperty(inner), ...before, value: inner })
  }
}

function asksForWebSocket(request: Request | undefined): request is Request {
  const upgrade = request?.headers['upgrade']
  return typeof upgrade === 'string' && upgrade.toLowerCase() === 'websocket'
}
