import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { context, SpanKind, trace } from '@opentelemetry/api'
import { RawClient, Telemetry } from '@otel-ws/testkit'
import { traceWebSocketServer, type WebSocketServerOptions } from '@otel-ws/ws'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c'
const SPAN_ID = 'b7ad6b7169203331'
const TRACEPARENT = `00-${TRACE_ID}-${SPAN_ID}-01`

type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => unknown

describe('an upgrade request on an http server of option `server`', () => {
  let telemetry: Telemetry
  let server: Server
  let wss: WebSocketServer

  beforeEach(() => {
    telemetry = new Telemetry()
    telemetry.install()
    server = createServer()
    // Clients that leave reset their connection.
    server.on('connection', (socket) => socket.on('error', () => {}))
    wss = new WebSocketServer({ noServer: true })
  })

  afterEach(async () => {
    for (const socket of wss.clients) socket.terminate()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await telemetry.uninstall()
    expect(telemetry.openSpans()).toEqual([])
  })

  async function serve(upgrade: Upgrade, options: WebSocketServerOptions = { route: '/chat' }): Promise<string> {
    server.on('upgrade', upgrade)
    traceWebSocketServer(wss, { server, ...options })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  const accept: Upgrade = (request, socket, head) =>
    wss.handleUpgrade(request, socket, head, (webSocket) => wss.emit('connection', webSocket, request))

  it.each([
    [401, undefined],
    [503, '503'],
  ])('that is rejected with %i is recorded at its outcome, without a route', async (status, errorType) => {
    const url = await serve((_, socket) => {
      setTimeout(() => socket.end(`HTTP/1.1 ${status} No\r\nConnection: close\r\n\r\n`), 20)
    })
    const client = new RawClient(`${url}/no`, { headers: { traceparent: TRACEPARENT } })
    expect((await client.response).status).toBe(status)
    await client.closed
    const span = await telemetry.waitForSpan('GET')
    expect(span.kind).toBe(SpanKind.SERVER)
    expect(span.parentSpanContext).toMatchObject({ traceId: TRACE_ID, spanId: SPAN_ID, isRemote: true })
    expect(span.attributes).toMatchObject({
      'websocket.handshake.outcome': 'rejected',
      'http.response.status_code': status,
      'url.path': '/no',
    })
    expect(span.attributes['error.type']).toBe(errorType)
    expect(span.attributes).not.toHaveProperty('websocket.route')
    expect(span.duration[1]).toBeGreaterThan(15e6)
    const rows = await telemetry.collect('websocket.server.handshake.duration')
    expect(rows.map(({ count, attributes }) => ({ count, attributes }))).toEqual([
      {
        count: 1,
        attributes: {
          'websocket.handshake.outcome': 'rejected',
          'http.response.status_code': status,
          ...(errorType && { 'error.type': errorType }),
        },
      },
    ])
  })

  it.each([
    ['cut by the application', (_: IncomingMessage, socket: Duplex) => socket.destroy(), 'local'],
    ['not answered until the client leaves', () => {}, 'remote'],
  ] as const)('that is %s is abandoned', async (_, upgrade, initiator) => {
    const seen = once(server, 'upgrade')
    const client = new RawClient(await serve(upgrade))
    await seen
    if (initiator === 'remote') client.reset()
    const span = await telemetry.waitForSpan('GET')
    expect(span.attributes).toMatchObject({
      'websocket.handshake.outcome': 'abandoned',
      'websocket.close.initiator': initiator,
    })
  })

  it('that other code accepts is not recorded', async () => {
    const hmr = new WebSocketServer({ noServer: true })
    const url = await serve((request, socket, head) => {
      if (request.url === '/chat') accept(request, socket, head)
      else hmr.handleUpgrade(request, socket, head, () => {})
    })
    const client = new RawClient(`${url}/__hmr`)
    expect((await client.response).status).toBe(101)
    client.reset()
    await client.closed
    const chat = new RawClient(`${url}/chat`)
    expect((await chat.response).status).toBe(101)
    chat.reset()
    await telemetry.waitForSpan('close /chat')
    expect(telemetry.names()).toEqual(['GET /chat', 'close /chat', 'open /chat'])
    const rows = await telemetry.collect('websocket.server.handshake.duration')
    expect(rows.map(({ count, attributes }) => [count, attributes['websocket.route']])).toEqual([[1, '/chat']])
  })

  it('is not recorded where option `ignore` excludes it', async () => {
    const ignore = ({ request }: { request?: { url?: string | undefined } }) => request?.url === '/health'
    const url = await serve((_, socket) => socket.end('HTTP/1.1 404 Not Found\r\n\r\n'), { ignore })
    for (const path of ['/health', '/other']) {
      const client = new RawClient(url + path)
      await client.response
      client.reset()
      await client.closed
    }
    await telemetry.waitForSpan('GET')
    expect(telemetry.spans().map(({ attributes }) => attributes['url.path'])).toEqual(['/other'])
  })

  it('covers the time from when it was seen, once a server takes it', async () => {
    const url = await serve((...args) => {
      setTimeout(() => accept(...args), 20)
    })
    const client = new RawClient(url)
    expect((await client.response).status).toBe(101)
    const span = await telemetry.waitForSpan('GET /chat')
    expect(span.duration[1]).toBeGreaterThan(15e6)
    client.reset()
    await telemetry.waitForSpan('close /chat')
  })

  it.each([
    ['parent', [TRACE_ID, SPAN_ID]],
    ['link', [undefined, undefined]],
    ['ignore', [undefined, undefined]],
  ] as const)(
    'has its listeners run in the context that the client sent, with remoteContext: %s',
    async (trust, [traceId, spanId]) => {
      const active: unknown[] = []
      const url = await serve(
        async (...args) => {
          active.push(trace.getActiveSpan()?.spanContext().spanId)
          await new Promise(setImmediate)
          trace.getTracer('app').startSpan('authenticate').end()
          accept(...args)
        },
        { route: '/chat', remoteContext: trust },
      )
      const client = new RawClient(url, { headers: { traceparent: TRACEPARENT } })
      await client.response
      const handshake = await telemetry.waitForSpan('GET /chat')
      const authenticate = telemetry.span('authenticate')
      expect(active).toEqual([spanId])
      expect(authenticate.parentSpanContext?.spanId).toBe(spanId)
      expect([handshake.parentSpanContext?.traceId, handshake.parentSpanContext?.spanId]).toEqual([traceId, spanId])
      expect(handshake.kind).toBe(SpanKind.SERVER)
      expect(handshake.links).toHaveLength(trust === 'link' ? 1 : 0)
      client.reset()
      await telemetry.waitForSpan('close /chat')
    },
  )

  it('under a span that the application has started is a child of it', async () => {
    const url = await serve((...args) => {
      const span = trace.getTracer('app').startSpan('request', { kind: SpanKind.SERVER })
      context.with(trace.setSpan(context.active(), span), () => accept(...args))
      span.end()
    })
    const client = new RawClient(url, { headers: { traceparent: TRACEPARENT } })
    await client.response
    const handshake = await telemetry.waitForSpan('GET /chat')
    expect(handshake.parentSpanContext?.spanId).toBe(telemetry.span('request').spanContext().spanId)
    expect(handshake.kind).toBe(SpanKind.INTERNAL)
    client.reset()
    await telemetry.waitForSpan('close /chat')
  })
})
