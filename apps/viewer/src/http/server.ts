import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Live } from '../live.ts'
import type { Receiver } from '../otlp/receiver.ts'
import { readLiveQuery } from '../query/live-query.ts'
import type { Store } from '../store/store.ts'
import type { Access } from './access.ts'
import type { PageFile } from './page-files.ts'

/** Nothing from anywhere else, nothing inline, in nobody's frame. */
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
  readonly store: Store
  readonly receiver: Receiver
  readonly live: Live
  readonly access: Access
  readonly page: ReadonlyMap<string, PageFile>
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
  return server
}

async function route(parts: Parts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.setHeader('x-content-type-options', 'nosniff')
  response.setHeader('referrer-policy', 'no-referrer')
  const url = new URL(`http://viewer${request.url?.startsWith('/') ? request.url : '/'}`)
  const { pathname } = url
  if (!parts.access.allowsHost(request.headers.host)) {
    text(response, 403, 'This host name is not known here: start the viewer with --allow-host to allow it.')
  } else if (pathname === '/v1/traces') await exported(parts, 'traces', request, response)
  else if (pathname === '/v1/metrics') await exported(parts, 'metrics', request, response)
  else if (pathname.startsWith('/v1/')) text(response, 404, 'The viewer takes /v1/traces and /v1/metrics.')
  else if (pathname.startsWith('/api/')) api(parts, url, request, response)
  else file(parts.page.get(pathname), pathname, request, response)
}

async function exported(
  { access, receiver }: Parts,
  signal: 'traces' | 'metrics',
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { origin } = request.headers
  if (origin !== undefined) {
    if (!access.allowsOrigin(origin)) {
      text(response, 403, 'This origin is not known here: start the viewer with --allow-origin to allow it.')
      return
    }
    response.setHeader('access-control-allow-origin', origin)
    response.setHeader('vary', 'origin')
  }
  if (request.method === 'OPTIONS') {
    response.setHeader('access-control-allow-methods', 'POST')
    response.setHeader('access-control-allow-headers', 'content-type, content-encoding')
    response.setHeader('access-control-max-age', '600')
    response.writeHead(204).end()
  } else if (request.method === 'POST') await receiver.handle(signal, request, response)
  else notAllowed(response, 'POST, OPTIONS')
}

function api({ live, store }: Parts, url: URL, request: IncomingMessage, response: ServerResponse): void {
  // Only our own page may read what was received, or clear it.
  const site = request.headers['sec-fetch-site']
  const { origin } = request.headers
  const foreign = origin !== undefined && origin !== `http://${request.headers.host}`
  if (foreign || (site !== undefined && site !== 'same-origin' && site !== 'none')) {
    text(response, 403, 'Only the page of the viewer may ask this.')
  } else if (url.pathname === '/api/live') {
    if (request.method !== 'GET') notAllowed(response, 'GET')
    else if (live.full) text(response, 503, 'Too many pages are open.')
    else live.open(readLiveQuery(url.searchParams), response)
  } else if (url.pathname === '/api/clear') {
    if (request.method !== 'POST') notAllowed(response, 'POST')
    else {
      store.clear()
      response.writeHead(204).end()
    }
  } else text(response, 404, 'There is nothing here.')
}

function file(found: PageFile | undefined, path: string, request: IncomingMessage, response: ServerResponse): void {
  if (found === undefined) text(response, 404, 'There is nothing here.')
  else if (request.method !== 'GET' && request.method !== 'HEAD') notAllowed(response, 'GET, HEAD')
  else {
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

function notAllowed(response: ServerResponse, allowed: string): void {
  response.setHeader('allow', allowed)
  text(response, 405, `Only ${allowed} is allowed here.`)
}

function text(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' })
  response.end(`${message}\n`)
}
