import { type Peer as Address, handshakeOf } from '@otel-ws/core/adapter'
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

/** What srvx, the server of h3 and Nitro, has on its requests on Node. */
interface ServerRequest {
  readonly runtime?: { readonly node?: { readonly req?: object } }
}

/** Node's request below an upgrade request, if it can be found. */
export function nodeRequestOf(request: object): object | undefined {
  return (request as ServerRequest).runtime?.node?.req
}

/** An instrumentation that has seen a request before its server leaves it to the hooks. */
export function discardUnclaimed(request: object | undefined): void {
  const handshake = request && handshakeOf(request as Parameters<typeof handshakeOf>[0])
  if (handshake?.unclaimed === true) handshake.discard()
}
