/** The version of PROTOCOL.md that is implemented here. */
const VERSION = '1'

/** Header of the upgrade request and of its answer, and name in the query of the request's URL. */
export const PROTOCOL_NAME = 'otel-ws'

/** Member that carries the context between peers that have negotiated. */
export const AGREED_MEMBER = '_otel'

/** Where a client offers context in messages: in a header, or in the query if it cannot set headers. */
export type Offer = 'header' | 'query'

/** True if the value of an offer names a version that is implemented here. */
export function isSupportedOffer(value: string): boolean {
  return value.split(';', 1)[0]?.trim() === VERSION
}

/** Value of the offer, in the header or in the query. */
export const OFFER = VERSION

/** True if the query of a URL contains the offer. */
export function hasOffer(url: string): boolean {
  return url.includes(`${PROTOCOL_NAME}=${OFFER}`)
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

/** The message with which a server accepts an offer in the query: the first one of the connection. */
export function helloMessage(connectionId: string): string {
  return `{"${AGREED_MEMBER}":{"v":${VERSION},"id":"${connectionId}"}}`
}

const HELLO = /^\{"_otel":\{"v":1,"id":"([0-9a-f]{16})"\}\}$/

/** The connection's id in a hello message; `undefined` for any other text. */
export function parseHello(text: string): string | undefined {
  return HELLO.exec(text)?.[1]
}

/** True for names that a carrier's member can have: without escapes in JSON, and not special to objects. */
export function isMemberName(name: unknown): name is string {
  return typeof name === 'string' && /^[A-Za-z_$][\w$.-]{0,63}$/.test(name) && name !== '__proto__'
}
