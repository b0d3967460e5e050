import type { Peer as Address } from '@otel-ws/core/adapter'
import { peerOf as addressOf } from '@otel-ws/core/node'
import type { Peer } from 'crossws'

/** What h3 stores on the context of a request when it has found the route. */
interface RoutedRequest {
  readonly context?: { readonly matchedRoute?: { readonly route?: unknown } } | undefined
}

/** The template of the route that h3 has found for an upgrade request; `undefined` without h3. */
export function routeOf(request: object): string | undefined {
  const route = (request as RoutedRequest).context?.matchedRoute?.route
  return typeof route === 'string' ? route : undefined
}

/** A private member of crossws' peers on Node: the upgrade request. */
interface NodePeer {
  readonly _internal?: { readonly nodeReq?: Parameters<typeof addressOf>[0] }
}

/** The other end of a connection: with its port on Node, elsewhere its address. */
export function peerOf(peer: Peer): Address {
  const request = (peer as unknown as NodePeer)._internal?.nodeReq
  return request === undefined ? { address: peer.remoteAddress } : addressOf(request)
}
