import type { Connection } from '../connection/connection.ts'
import { randomId } from '../connection/random-id.ts'
import type { ConnectionServices } from '../connection/services.ts'
import {
  acceptHeaderValue,
  helloMessage,
  isSupportedOffer,
  type Offer,
  PROTOCOL_NAME,
} from '../propagation/negotiation.ts'
import type { RemoteContext } from '../propagation/remote-context.ts'
import { type PropagationTerms, propagationTerms } from '../propagation/terms.ts'
import { type AnyUpgradeRequest, header, queryWith } from './request.ts'

/** The negotiation of context in messages during one opening handshake. */
export class Negotiation {
  readonly #request: AnyUpgradeRequest
  #trusted: { readonly by: ConnectionServices; readonly trust: RemoteContext | undefined } | undefined
  /** Id of the later connection, if the answer to the request contains it. */
  #acceptedId: string | undefined

  constructor(request: AnyUpgradeRequest) {
    this.#request = request
  }

  /** Use of the peer's context: option `remoteContext`, of which a function is called once. */
  trust(services: ConnectionServices): RemoteContext | undefined {
    const { remoteContext = 'parent' } = services.options
    if (typeof remoteContext !== 'function') return remoteContext
    if (this.#trusted?.by !== services) {
      const trust = services.callHook('remoteContext', remoteContext, this.#request as never)
      this.#trusted = { by: services, trust }
    }
    return this.#trusted.trust
  }

  /** Browser clients are untrusted: their baggage is accepted only if `remoteContext` was set explicitly. */
  takesBaggage(services: ConnectionServices): boolean {
    if (this.trust(services) !== 'parent') return false
    if (services.options.remoteContext !== undefined) return true
    // Requests of browsers have an Origin header.
    return header(this.#request, 'origin') === undefined && requestedOffer(this.#request) !== 'query'
  }

  /** Value of the header with which a 101 response accepts an offer in a header; `undefined` if there is none. */
  acceptHeader(services: ConnectionServices): string | undefined {
    if (services.options.propagation === 'off' || requestedOffer(this.#request) !== 'header') return undefined
    this.#acceptedId ??= randomId()
    return acceptHeaderValue(this.#acceptedId)
  }

  /** The message that accepts an offer in the query; `undefined` if there is none. */
  helloMessage(connection: Connection): string | undefined {
    const { services } = connection
    if (this.#acceptedId !== undefined || services.options.propagation === 'off') return undefined
    if (requestedOffer(this.#request) !== 'query') return undefined
    connection.acceptTerms(this.#terms(services))
    return helloMessage(connection.id)
  }

  /** Sets the terms of a connection that was accepted. */
  applyTo(connection: Connection): void {
    const { services } = connection
    const { propagation, carrierName, messageContext } = services.options
    if (this.#acceptedId !== undefined) connection.acceptTerms(this.#terms(services), this.#acceptedId)
    else if (propagation === 'always') connection.acceptTerms(this.#terms(services, carrierName))
    if (messageContext !== undefined) connection.setForeignTerms(this.#terms(services))
  }

  #terms(services: ConnectionServices, name?: string): PropagationTerms {
    const trust = this.trust(services)
    const known = trust === 'parent' || trust === 'link' ? trust : 'ignore'
    const sendsBaggage = known === 'parent' && services.options.remoteContext !== undefined
    return propagationTerms(known, this.takesBaggage(services), sendsBaggage, name)
  }
}

/** Where the client of an upgrade request offers context in messages; `undefined` if it does not. */
export function requestedOffer(request: AnyUpgradeRequest): Offer | undefined {
  const offer = header(request, PROTOCOL_NAME)
  if (offer !== undefined) return isSupportedOffer(offer) ? 'header' : undefined
  const inQuery = queryWith(request, PROTOCOL_NAME)?.get(PROTOCOL_NAME)
  return inQuery != null && isSupportedOffer(inQuery) ? 'query' : undefined
}
