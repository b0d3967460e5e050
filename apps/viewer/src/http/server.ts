import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Receiver } from '../otlp/receiver.ts'
import { type Signal, signals } from '../otlp/signals.ts'
import type { Access } from './access.ts'
import { notAllowed, text } from './answer.ts'
import type { Api } from './api.ts'
import { foreignProtocol } from './foreign-protocol.ts'
import type { PageFile } from './page-files.ts'
import type { TokenCheck } from './token.ts'

/** Nothing from anywhere else, nothing inline, in no frame. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ')

export interface Parts {
  readonly receiver: Receiver
  readonly api: Api
  readonly access: Access
  readonly token: TokenCheck
  readonly page: ReadonlyMap<string, PageFile>
  /** Value of the header `server`, by which another start of the viewer knows this one. */
  readonly name: string
  /** Notes a request that was refused, for the person at the page. */
  readonly refused: (reason: string) => void
}

/** The HTTP server of the viewer: OTLP in, page and live updates out. It is not listening yet. */
export function createViewerServer(parts: Parts): Server {
  const server = createServer(
    { requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 60_000 },
    (request, response) => {
      route(parts, request, response).catch(() => response.destroy())
    },
  )
  server.maxConnections = 1024
  server.on('clientError', (error: Error & { rawPacket?: Buffer }, socket: Socket) => {
    const protocol = foreignProtocol(error.rawPacket)
    if (protocol !== undefined) parts.refused(protocol)
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n')
    else socket.destroy()
  })
  return server
}

async function route(parts: Parts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.setHeader('server', parts.name)
  response.setHeader('x-content-type-options', 'nosniff')
  response.setHeader('referrer-policy', 'no-referrer')
  const url = new URL(`http://viewer${request.url?.startsWith('/') ? request.url : '/'}`)
  const { pathname } = url
  const { host } = request.headers
  const signal = signals.find((one) => pathname === `/v1/${one}`)
  if (!parts.access.allowsHost(host)) {
    parts.refused(`host ${shown(host)} is not known: start with --allow-host ${shown(host)}`)
    text(response, 403, 'This host name is not known here: start the viewer with --allow-host to allow it.')
  } else if (signal !== undefined) await exported(parts, signal, request, response)
  else if (pathname.startsWith('/v1/') || (request.method === 'POST' && !pathname.startsWith('/api/'))) {
    unknownPath(parts, pathname, request, response)
  } else if (pathname.startsWith('/api/')) await api(parts, url, request, response)
  else file(parts, url, request, response)
}

/** What a stranger sent, short enough for a line of the page. */
function shown(value: string | undefined): string {
  return (value ?? '(none)').slice(0, 80)
}

function unknownPath(parts: Parts, pathname: string, request: IncomingMessage, response: ServerResponse): void {
  if (!pathname.startsWith('/v1/') && parts.page.has(pathname)) {
    notAllowed(response, 'GET, HEAD')
    return
  }
  const path = shown(pathname)
  parts.refused(`${request.method} ${path}: exports go to ${signals.map((one) => `/v1/${one}`).join(', ')}`)
  text(response, 404, `The viewer takes ${signals.map((one) => `/v1/${one}`).join(', ')}.`)
}

async function exported(
  { access, receiver, token, refused }: Parts,
  signal: Signal,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { origin } = request.headers
  if (origin !== undefined) {
    if (!access.allowsOrigin(origin)) {
      refused(`origin ${shown(origin)} is not known: start with --allow-origin ${shown(origin)}`)
      text(response, 403, 'This origin is not known here: start the viewer with --allow-origin to allow it.')
      return
    }
    response.setHeader('access-control-allow-origin', origin)
    response.setHeader('vary', 'origin')
  }
  if (request.method === 'OPTIONS') preflight(request, response)
  else if (request.method !== 'POST') {
    refused(`${request.method} /v1/${signal}: exports are sent with POST`)
    notAllowed(response, 'POST, OPTIONS')
  } else if (!token.allows(request.headers)) {
    refused('an export without the token: set OTEL_EXPORTER_OTLP_HEADERS as the viewer printed it')
    text(response, 401, 'The viewer asks for its token: authorization: Bearer …')
  } else await receiver.handle(signal, request, response)
}

function preflight(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('access-control-allow-methods', 'POST')
  // Exporters send headers of their users' choice, such as api keys, and instrumented pages add `traceparent`.
  const asked = String(request.headers['access-control-request-headers'] ?? 'content-type, content-encoding')
  if (/^[\w\-, ]{1,1000}$/.test(asked)) response.setHeader('access-control-allow-headers', asked)
  if (request.headers['access-control-request-private-network'] === 'true') {
    response.setHeader('access-control-allow-private-network', 'true')
  }
  response.setHeader('access-control-max-age', '600')
  response.writeHead(204).end()
}

async function api(parts: Parts, url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // Only the viewer's own page, and programs that are no pages, may read what was received, or clear it.
  const site = request.headers['sec-fetch-site']
  const { origin } = request.headers
  const foreign = origin !== undefined && origin !== `http://${request.headers.host}`
  if (foreign || (site !== undefined && site !== 'same-origin' && site !== 'none')) {
    text(response, 403, 'Only the page of the viewer may ask this.')
  } else if (!parts.token.allows(request.headers)) {
    text(response, 401, 'The viewer asks for its token: authorization: Bearer …')
  } else await parts.api.handle(url, request, response)
}

function file(parts: Parts, url: URL, request: IncomingMessage, response: ServerResponse): void {
  const path = url.pathname
  const found = parts.page.get(path)
  const given = url.searchParams.get('token')
  if (found === undefined) text(response, 404, 'There is nothing here.')
  else if (request.method !== 'GET' && request.method !== 'HEAD') notAllowed(response, 'GET, HEAD')
  else if (given !== null && parts.token.needed && parts.token.accepts(given)) {
    // The token leaves the address at once: an address is copied, stored and sent on.
    response.setHeader('set-cookie', parts.token.cookie(given, request.headers.host))
    response.writeHead(303, { location: '/' }).end()
  } else if (path === '/' && !parts.token.allows(request.headers)) {
    text(response, 401, 'Open the address that the viewer printed as it started: it carries the token.')
  } else {
    response.writeHead(200, {
      'content-type': found.type,
      'content-length': found.body.length,
      'content-security-policy': contentSecurityPolicy,
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      // File names carry a hash of their content, all but that of the page itself.
      'cache-control': path === '/' ? 'no-cache' : 'max-age=31536000, immutable',
    })
    response.end(request.method === 'HEAD' ? undefined : found.body)
  }
}
