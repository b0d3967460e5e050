import { sameAuthority } from '../options/authority.ts'
import { type OfferedIn, PROTOCOL_NAME, parseHeaderOffer, parseQueryOffer } from '../propagation/negotiation.ts'
import { type AnyUpgradeRequest, header, queryWith } from './request.ts'

/** What a request says about context in messages. */
export interface Offer {
  /** Where the client of this connection offers it; `undefined` if it does not. */
  readonly by: OfferedIn | undefined
  /** Where there is an offer that was made for another connection, which an intermediary has copied. */
  readonly copied?: OfferedIn
  /** The authority in a copied offer. */
  readonly authority?: string
}

/** The offer of a request's query, of any kind: only clients that cannot set headers have one. */
export function hasQueryOffer(request: AnyUpgradeRequest): boolean {
  return queryWith(request, PROTOCOL_NAME) !== undefined
}

/**
 * Reads the offer of context in messages. It counts if the client made it for this very connection: in a header, with the
 * request's own key; in the query, with the authority that the request was sent to.
 *
 * @param authorities further names under which clients reach this server: option `authorities`
 */
export function readOffer(request: AnyUpgradeRequest, authorities: readonly string[]): Offer {
  const inHeader = header(request, PROTOCOL_NAME)
  const key = inHeader === undefined ? undefined : parseHeaderOffer(inHeader)
  if (key !== undefined && key === header(request, 'sec-websocket-key')) return { by: 'header' }
  const inQuery = queryWith(request, PROTOCOL_NAME)?.get(PROTOCOL_NAME)
  const authority = inQuery == null ? undefined : parseQueryOffer(inQuery)
  if (authority !== undefined) {
    const isSame = authorities.includes(authority) || sameAuthority(authority, header(request, 'host'))
    return isSame ? { by: 'query' } : { by: undefined, copied: 'query', authority }
  }
  return key === undefined ? { by: undefined } : { by: undefined, copied: 'header' }
}
