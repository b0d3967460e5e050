import type { Duplex } from 'node:stream'
import type { FastifyInstance, RouteOptions } from 'fastify'

/** `@fastify/websocket` stores the socket of an upgrade on the request, under a symbol of this description. */
const UPGRADE_SOCKET = 'ws-socket'

/** Fastify stores the hooks of an instance under a symbol of this description. */
const HOOKS = 'fastify.hooks'

/** Returns the socket of an upgrade request that `@fastify/websocket` handles. */
export function upgradeSocket(request: object): Duplex | undefined {
  const key = Object.getOwnPropertySymbols(request).find((symbol) => symbol.description === UPGRADE_SOCKET)
  return key === undefined ? undefined : (request as Record<symbol, Duplex | undefined>)[key]
}

type RouteHook = (this: FastifyInstance, route: RouteOptions) => void

/**
 * Adds an `onRoute` hook that runs before those that exist already. `@fastify/websocket` replaces the handler of a route in
 * such a hook, which exists already if that plugin was registered first. If Fastify's list of hooks is not found, the hook
 * runs in the order of registration.
 */
export function addFirstRouteHook(fastify: FastifyInstance, hook: RouteHook): void {
  const host = fastify as unknown as Record<symbol, { onRoute?: RouteHook[] } | undefined>
  const key = symbolsOf(fastify).find((symbol) => symbol.description === HOOKS)
  const hooks = key === undefined ? undefined : host[key]
  fastify.addHook('onRoute', hook as never)
  const list = hooks?.onRoute
  if (!Array.isArray(list)) return
  const index = list.lastIndexOf(hook)
  if (index > 0) list.unshift(...list.splice(index, 1))
}

/** Returns the symbols of an object and of its prototypes: an encapsulated instance inherits from the outer one. */
function symbolsOf(object: object): symbol[] {
  const symbols: symbol[] = []
  for (let at: object | null = object; at !== null; at = Object.getPrototypeOf(at)) {
    symbols.push(...Object.getOwnPropertySymbols(at))
  }
  return symbols
}
