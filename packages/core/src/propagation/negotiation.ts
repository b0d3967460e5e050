/** The version of PROTOCOL.md that is implemented here. */
const VERSION = '1'

/** Header of the upgrade request and of its answer, and name in the query of the request's URL. */
export const PROTOCOL_NAME = 'otel-ws'

/** Member that carries the context between peers that have negotiated. */
export const AGREED_MEMBER = '_otel'

/** Where a client offers context in messages: in a header, or in the query if it cannot set headers. */
export type OfferedIn = 'header' | 'query'

/** Value of a header that is no offer yet, because the client does not know the key of its request yet. */
export const INCOMPLETE_OFFER = VERSION

/**
 * Value of an offer in a header.
 *
 * @param key `Sec-WebSocket-Key` of the same request: the offer holds for no other connection
 */
export function headerOffer(key: string): string {
  return `${VERSION}; key=${key}`
}

/**
 * Value of an offer in the query.
 *
 * @param authority host and port that the client dials: the offer holds for no other server
 */
export function queryOffer(authority: string): string {
  return `${VERSION};host=${authority}`
}

const HEADER_OFFER = /^1\s*;\s*key=([A-Za-z0-9+/]{22}==)\s*(?:;|$)/
const QUERY_OFFER = /^1;host=([^;]{1,261})(?:;|$)/

/** The key in the value of an offer in a header; `undefined` for other values. */
export function parseHeaderOffer(value: string): string | undefined {
  return HEADER_OFFER.exec(value)?.[1]
}

/** The authority in the value of an offer in the query; `undefined` for other values. */
export function parseQueryOffer(value: string): string | undefined {
  return QUERY_OFFER.exec(value)?.[1]
}

/** True if the query of a URL contains an offer. */
export function hasOffer(url: string): boolean {
  return url.includes(`${PROTOCOL_NAME}=${VERSION}`)
}

/** Value of the header with which a server accepts. */
export function acceptHeaderValue(connectionId: string): string {
  return `${VERSION}; id=${connectionId}`
}

const ANSWER = /^1\s*;\s*id=([0-9a-f]{16})$/

/** The connection's id in the header with which a server accepts; `undefined` for any other value. */
export function parseAcceptHeader(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? ANSWER.exec(value.trim())?.[1] : undefined
}

/** The message with which a server answers an offer in the query: the first one of the connection. */
export function helloMessage(connectionId: string): string {
  return `{"${AGREED_MEMBER}":{"v":${VERSION},"id":"${connectionId}"}}`
}

const HELLO = /^\{"_otel":\{"v":1,"id":"([0-9a-f]{16})"\}\}$/

/** The connection's id in a hello message; `undefined` for any other text. */
export function parseHello(text: string): string | undefined {
  return HELLO.exec(text)?.[1]
}

/** The message with which a client confirms the server's hello message. */
export const CONFIRMATION = `{"${AGREED_MEMBER}":{"v":${VERSION}}}`

/** The data of the event with which a client of Socket.IO confirms the server's hello. */
export const CONFIRMATION_EVENT = [AGREED_MEMBER, { v: Number(VERSION) }] as const

/** True for the message with which a client confirms the server's hello message. */
export function isConfirmation(text: string | Uint8Array): boolean {
  return (
    text.length === CONFIRMATION.length &&
    (typeof text === 'string' ? text === CONFIRMATION : text.every((byte, at) => byte === CONFIRMATION.charCodeAt(at)))
  )
}

/** True for the data of the event with which a client of Socket.IO confirms the server's hello. */
export function isConfirmationEvent(data: readonly unknown[]): boolean {
  const [name, value] = data
  if (data.length !== 2 || name !== AGREED_MEMBER || typeof value !== 'object' || value === null) return false
  return Object.keys(value).length === 1 && (value as { v?: unknown }).v === Number(VERSION)
}

/** True for names that a carrier's member can have: without escapes in JSON, and not special to objects. */
export function isMemberName(name: unknown): name is string {
  return typeof name === 'string' && /^[A-Za-z_$][\w$.-]{0,63}$/.test(name) && name !== '__proto__'
}
