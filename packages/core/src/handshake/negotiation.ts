import type { Connection } from '../connection/connection.ts'
import type { ConnectionServices } from '../connection/services.ts'
import { acceptHeaderValue, helloMessage } from '../propagation/negotiation.ts'
import type { RemoteContext } from '../propagation/remote-context.ts'
import { type PropagationTerms, propagationTerms } from '../propagation/terms.ts'
import { randomId } from '../span/random-id.ts'
import { hasQueryOffer, type Offer, readOffer } from './offer.ts'
import { type AnyUpgradeRequest, header, queryWith } from './request.ts'

/** The negotiation of context in messages during one opening handshake. */
export class Negotiation {
  readonly #request: AnyUpgradeRequest
  #trusted: { readonly by: ConnectionServices; readonly trust: RemoteContext | undefined } | undefined
  readonly #isJoin: boolean
  /** Id of the later connection, if the answer to the request contains it. */
  #acceptedId: string | undefined

  /** @param isJoin the request opens a namespace over a connection that exists, so that several have the same offer */
  constructor(request: AnyUpgradeRequest, isJoin = false) {
    this.#request = request
    this.#isJoin = isJoin
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
    return header(this.#request, 'origin') === undefined && !hasQueryOffer(this.#request)
  }

  /** Value of the header with which a 101 response accepts an offer in a header; `undefined` if there is none. */
  acceptHeader(services: ConnectionServices): string | undefined {
    if (this.#offer(services).by !== 'header') return undefined
    this.#acceptedId ??= randomId()
    return acceptHeaderValue(this.#acceptedId)
  }

  /** The message that answers an offer in the query; `undefined` if there is none. The client then has to confirm it. */
  helloMessage(connection: Connection): string | undefined {
    const { services } = connection
    if (this.#acceptedId !== undefined || this.#offer(services).by !== 'query') return undefined
    if (!this.#isJoin && !isFirstUse(this.#request)) return undefined
    connection.offerTerms(this.#terms(services))
    return helloMessage(connection.id)
  }

  /** Sets the terms of a connection that was accepted. */
  applyTo(connection: Connection): void {
    const { services } = connection
    const { propagation, carrierName, messageContext } = services.options
    if (this.#acceptedId !== undefined) connection.acceptTerms(this.#terms(services), this.#acceptedId)
    else if (propagation === 'always') connection.acceptTerms(this.#terms(services, carrierName))
    if (messageContext !== undefined || connection.operations?.slot !== undefined)
      connection.setForeignTerms(this.#terms(services))
  }

  #offer(services: ConnectionServices): Offer {
    if (services.options.propagation === 'off') return NO_OFFER
    const offer = readOffer(this.#request, services.options.authorities)
    if (offer.copied !== undefined) {
      services.diagnostics.offerCopied(offer.copied, offer.authority, header(this.#request, 'host'))
    }
    return offer
  }

  #terms(services: ConnectionServices, name?: string): PropagationTerms {
    const trust = this.trust(services)
    const known = trust === 'parent' || trust === 'link' ? trust : 'ignore'
    const sendsBaggage = known === 'parent' && services.options.remoteContext !== undefined
    return propagationTerms(known, this.takesBaggage(services), sendsBaggage, name)
  }
}

const NO_OFFER: Offer = { by: undefined }

/** As many offers as are remembered: by then a page that keeps its URL has most likely used it again. */
const MAX_USED = 4096
const used = new Set<string>()

/**
 * True if no connection of this process has had the same offer in its query. A URL that is kept and used again may be that
 * of a socket which is not traced.
 */
function isFirstUse(request: AnyUpgradeRequest): boolean {
  const traceparent = queryWith(request, 'traceparent')?.get('traceparent')
  if (traceparent == null) return true
  const key = traceparent.slice(0, 55)
  if (used.has(key)) return false
  used.add(key)
  if (used.size > MAX_USED) used.delete(used.values().next().value as string)
  return true
}
