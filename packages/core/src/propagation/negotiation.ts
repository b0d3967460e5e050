import type { UpgradeRequest } from '../options/types.ts'

/** The version of PROTOCOL.md that is spoken here. */
const VERSION = '1'

/** Header of the upgrade request and of its answer, and name in the query of the request's URL. */
export const PROTOCOL_NAME = 'otel-ws'

/** Member that carries the context between peers that have agreed. */
export const AGREED_MEMBER = '_otel'

/** How a client says that it takes carriers: in a header, or, where it cannot set one, in the query. */
export type Offer = 'header' | 'query'

/** How the client of an upgrade request says that it takes carriers; `undefined` when it does not. */
export function requestedOffer(request: UpgradeRequest): Offer | undefined {
  const header = request.headers[PROTOCOL_NAME]
  if (header !== undefined) return versionOf(header) === VERSION ? 'header' : undefined
  const { url } = request
  // The longest query that is worth a look: those that browsers send are far shorter.
  if (url === undefined || url.length > 8192 || !url.includes(`${PROTOCOL_NAME}=`)) return undefined
  const query = new URLSearchParams(url.slice(url.indexOf('?') + 1))
  return query.get(PROTOCOL_NAME) === VERSION ? 'query' : undefined
}

/** Value of the header with which a Node client says that it takes carriers; also the value in a query. */
export const OFFER = VERSION

/** True when a URL asks for context in messages. */
export function hasOffer(url: string): boolean {
  return url.includes(`${PROTOCOL_NAME}=${OFFER}`)
}

/** Value of the header with which a server agrees. */
export function acceptHeaderValue(connectionId: string): string {
  return `${VERSION}; id=${connectionId}`
}

const ANSWER = /^1\s*;\s*id=([0-9a-f]{16})$/

/** The connection's id, when the value of the answer's header says that the server agrees. */
export function parseAcceptHeader(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? ANSWER.exec(value.trim())?.[1] : undefined
}

/** The message with which a server agrees to an offer in the query: the first one of the connection. */
export function helloMessage(connectionId: string): string {
  return `{"${AGREED_MEMBER}":{"v":${VERSION},"id":"${connectionId}"}}`
}

const HELLO = /^\{"_otel":\{"v":1,"id":"([0-9a-f]{16})"\}\}$/

/** The connection's id, when the text is a server's agreement. */
export function parseHello(text: string): string | undefined {
  return HELLO.exec(text)?.[1]
}

function versionOf(header: string | readonly string[]): string | undefined {
  return typeof header === 'string' ? header.split(';', 1)[0]?.trim() : undefined
}

/** True for what a member that carries the context can be called: it must not need escapes, nor be special to objects. */
export function isMemberName(name: unknown): name is string {
  return typeof name === 'string' && /^[A-Za-z_$][\w$.-]{0,63}$/.test(name) && name !== '__proto__'
}
