import type { Attributes } from '@opentelemetry/api'
import type { Redactor } from '../options/redact.ts'
import type { UpgradeRequest } from '../options/types.ts'
import * as schema from '../schema.ts'
import type { Peer } from '../services/driver.ts'

/** An upgrade request of a host with the Web's `Request`, whose `url` is absolute. */
export interface WebUpgradeRequest {
  readonly method: string
  readonly url: string
  readonly headers: { get(name: string): string | null }
}

/** The upgrade request of any host. Read it through the functions of this file. */
export type AnyUpgradeRequest = UpgradeRequest | WebUpgradeRequest

/** Facts of the request as the client sent it, where proxies have handed it on. */
export interface OriginalRequest {
  readonly encrypted?: boolean | undefined
  /** Host, and port if it was given. */
  readonly host?: string | undefined
  readonly client?: Peer | undefined
}

/** A header's value; values of one that was sent several times are joined as RFC 9110, section 5.3, says. */
export function header(request: AnyUpgradeRequest, name: string): string | undefined {
  const { headers } = request
  if (typeof headers.get === 'function') return headers.get(name) ?? undefined
  const value = (headers as UpgradeRequest['headers'])[name]
  return typeof value === 'string' ? value : value?.join(', ')
}

/** Path and query of the request; never an origin. */
function pathAndQuery({ url }: AnyUpgradeRequest): string | undefined {
  if (typeof url !== 'string' || url.startsWith('/')) return url
  const match = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i.exec(url)
  return match === null ? url : url.slice(match[0].length) || '/'
}

/** The longest name of a host (RFC 1035), with its port. */
const MAX_HOST_LENGTH = 261

/** The longest URL whose query is parsed. */
const MAX_QUERY_URL_LENGTH = 8192

/** The parameters of the query, if it contains `name`. */
export function queryWith(request: AnyUpgradeRequest, name: string): URLSearchParams | undefined {
  const { url } = request
  const at = url?.indexOf('?') ?? -1
  if (url === undefined || at === -1 || url.length > MAX_QUERY_URL_LENGTH || !url.includes(`${name}=`, at)) {
    return undefined
  }
  return new URLSearchParams(url.slice(at + 1))
}

/**
 * The HTTP attributes of an upgrade request.
 *
 * @param scheme `ws` or `http`, without the `s` of an encrypted connection
 * @param redactor replaces what is secret in path and query
 * @param original what is known of the request that the client sent, if a proxy has handed it on
 */
export function requestAttributes(
  request: AnyUpgradeRequest,
  scheme: 'ws' | 'http',
  redactor: Redactor,
  original?: OriginalRequest,
): Attributes {
  const attributes: Attributes = {
    [schema.ATTR_HTTP_REQUEST_METHOD]: request.method?.slice(0, 32) ?? 'GET',
    [schema.ATTR_URL_SCHEME]: (original?.encrypted ?? isEncrypted(request)) ? `${scheme}s` : scheme,
  }
  const url = pathAndQuery(request)
  if (url !== undefined) {
    const at = url.indexOf('?')
    attributes[schema.ATTR_URL_PATH] = redactor.path(at === -1 ? url : url.slice(0, at))
    if (at !== -1 && at < url.length - 1) attributes[schema.ATTR_URL_QUERY] = redactor.query(url.slice(at + 1))
  }
  const host = original?.host ?? header(request, 'host')
  if (host !== undefined) {
    const match = /^(.*?)(?::(\d{1,5}))?$/.exec(host.slice(host.lastIndexOf('@') + 1).slice(0, MAX_HOST_LENGTH))
    if (match?.[1]) attributes[schema.ATTR_SERVER_ADDRESS] = match[1]
    if (match?.[2]) attributes[schema.ATTR_SERVER_PORT] = Number(match[2])
  }
  const agent = header(request, 'user-agent')
  if (agent !== undefined) attributes[schema.ATTR_USER_AGENT_ORIGINAL] = agent.slice(0, 1024)
  return attributes
}

/** True for requests of clients of Engine.IO, which have its parameters in the query. */
export function isEngineIoRequest(request: AnyUpgradeRequest): boolean {
  const query = queryWith(request, 'EIO')
  return query?.has('EIO') === true && query.has('transport')
}

/** `unix` for a connection over a Unix domain socket or a named pipe, else `tcp`. */
export function networkTransport(request: AnyUpgradeRequest): 'tcp' | 'unix' {
  const socket = (request as { readonly socket?: NodeSocket }).socket
  // A TLS socket stands on another one.
  return (socket?._parent ?? socket)?._handle?.constructor?.name === 'Pipe' ? 'unix' : 'tcp'
}

/** Private members of Node's `net.Socket`, the only source of what it is. */
interface NodeSocket {
  readonly _handle?: object | null
  readonly _parent?: NodeSocket | null
}

function isEncrypted(request: AnyUpgradeRequest): boolean {
  if ('socket' in request) return request.socket?.encrypted === true
  return typeof request.url === 'string' && /^(https|wss):/i.test(request.url)
}
