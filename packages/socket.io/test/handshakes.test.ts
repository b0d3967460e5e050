import type { EventEmitter } from 'node:events'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { traceSocketServer } from '@otel-ws/socket.io'
import { connect } from '@otel-ws/testkit'
import { Server } from 'socket.io'
import { describe, expect, it } from 'vitest'
import { joinByHand, rawUrl } from './raw.ts'
import { type Listening, useServers } from './server.ts'

const fixture = useServers()

/** One poll, by hand. */
async function poll({ url }: Listening, query: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${url}/socket.io/?${query}`, { headers: { connection: 'close' }, ...init })
}

describe('handshake', () => {
  it('of a connection over websocket has a span, and that of its namespace is its child', async () => {
    const { telemetry } = fixture
    const server = await fixture.listen()
    traceSocketServer(server.io)
    await fixture.join(server)
    const handshake = telemetry.span('GET /socket.io')
    expect(handshake.kind).toBe(SpanKind.SERVER)
    expect(handshake.parentSpanContext).toBeUndefined()
    const port = Number(new URL(server.url).port)
    expect(handshake.attributes).toEqual({
      'http.request.method': 'GET',
      'http.response.status_code': 101,
      'http.route': '/socket.io',
      'url.scheme': 'ws',
      'url.path': '/socket.io/',
      'url.query': 'EIO=4&transport=websocket',
      'server.address': '127.0.0.1',
      'server.port': port,
      'client.address': '127.0.0.1',
      'client.port': expect.any(Number),
      'websocket.route': '/socket.io',
      'websocket.transport': 'websocket',
      'websocket.handshake.outcome': 'accepted',
    })
    const namespace = telemetry.span('CONNECT /')
    expect(namespace.kind).toBe(SpanKind.INTERNAL)
    expect(namespace.parentSpanContext?.spanId).toBe(handshake.spanContext().spanId)
    expect(namespace.attributes).toEqual({
      'websocket.route': '/',
      'websocket.namespace': '/',
      'websocket.transport': 'websocket',
      'websocket.connection.id': expect.stringMatching(/^[0-9a-f]{16}$/),
      'websocket.handshake.outcome': 'accepted',
    })
  })

  it('over polling is one span without spans for polls, and the upgrade changes the transport without a close', async () => {
    const { telemetry } = fixture
    const server = await fixture.listen()
    traceSocketServer(server.io)
    server.io.on('connection', (socket) => {
      socket.on('hello', (ack: () => void) => ack())
    })
    const client = fixture.client(server, '/', { transports: ['polling', 'websocket'] })
    await new Promise<void>((resolve) => client.io.on('open', () => client.io.engine.once('upgrade', () => resolve())))
    await client.emitWithAck('hello')
    client.disconnect()
    const close = await telemetry.waitForSpan('close /')
    expect(telemetry.names()).toEqual(['CONNECT /', 'GET /socket.io', 'close /', 'open /', 'process hello'])
    expect(telemetry.span('GET /socket.io').attributes).toMatchObject({
      'http.response.status_code': 200,
      'url.scheme': 'http',
      'websocket.transport': 'polling',
      'websocket.handshake.outcome': 'accepted',
    })
    expect(telemetry.span('CONNECT /').attributes['websocket.transport']).toBe('polling')
    expect(close.attributes['websocket.transport']).toBe('websocket')
  })

  it('of a connection that is still open gets the transport that it changed to', async () => {
    const { telemetry } = fixture
    const server = await fixture.listen()
    const traced = traceSocketServer(server.io, { traces: 'connection' })
    const upgraded = new Promise((resolve) => {
      server.io.engine.on('connection', (engine: EventEmitter) => engine.once('upgrade', resolve))
    })
    await fixture.join(server, '/', { transports: ['polling', 'websocket'] })
    await upgraded
    await traced.shutdown()
    expect((await telemetry.waitForSpan('connection /')).attributes).toMatchObject({
      'websocket.transport': 'websocket',
      'websocket.span.ended_by': 'shutdown',
    })
  })

  it('of a namespace that does not exist is rejected, and its name is not recorded', async () => {
    const { telemetry } = fixture
    const server = await fixture.listen()
    traceSocketServer(server.io)
    await expect(fixture.join(server, '/a-name-of-the-client')).rejects.toThrow('Invalid namespace')
    const span = await telemetry.waitForSpan('CONNECT')
    expect(span.attributes).toEqual({
      'websocket.transport': 'websocket',
      'websocket.handshake.outcome': 'rejected',
      'error.type': 'invalid_namespace',
      'client.address': '127.0.0.1',
      'client.port': expect.any(Number),
    })
    expect(span.parentSpanContext?.spanId).toBe(telemetry.span('GET /socket.io').spanContext().spanId)
  })

  it('of a dynamic namespace is named after its pattern, with its name on spans only', async () => {
    const { telemetry } = fixture
    const server = await fixture.listen()
    traceSocketServer(server.io)
    server.io.of(/^\/room-\d+$/)
    server.io.of((name, _auth, next) => next(null, name === '/made'))
    for (const name of ['/room-1', '/room-2', '/made']) await fixture.join(server, name)
    const route = '/^\\/room-\\d+$/'
    const spans = telemetry.spans(`CONNECT ${route}`)
    expect(spans.map(({ attributes }) => attributes['websocket.namespace'])).toEqual(['/room-1', '/room-2'])
    const opens = [await telemetry.waitForSpan(`open ${route}`, 1), await telemetry.waitForSpan(`open ${route}`, 2)]
    expect(opens.map(({ attributes }) => attributes['websocket.namespace'])).toEqual(['/room-1', '/room-2'])
    const active = await telemetry.collect('websocket.server.connection.active')
    const counts = active.map(({ value, attributes }) => [attributes['websocket.namespace'], value])
    expect(counts).toContainEqual([route, 2])
    expect(counts).toContainEqual(['*', 1])
    expect(telemetry.span('CONNECT *').attributes['websocket.namespace']).toBe('/made')
  })

  it('records that a connection was recovered', async () => {
    const { telemetry } = fixture
    const server = await fixture.listen({ connectionStateRecovery: {} })
    traceSocketServer(server.io)
    server.io.on('connection', (socket) => {
      if (!socket.recovered) socket.emit('first', 1)
    })
    const client = fixture.client(server, '/', { reconnection: true, reconnectionDelay: 10 })
    await once(client as never, 'first')
    const again = once(client as never, 'connect')
    ;(client.io.engine as unknown as { transport: { ws: { terminate(): void } } }).transport.ws.terminate()
    await again
    expect(client.recovered).toBe(true)
    const [first, second] = [await telemetry.waitForSpan('CONNECT /', 1), await telemetry.waitForSpan('CONNECT /', 2)]
    expect(first.attributes['websocket.connection.recovered']).toBeUndefined()
    expect(second.attributes['websocket.connection.recovered']).toBe(true)
    expect((await telemetry.waitForSpan('send first')).attributes['websocket.message.sequence']).toBe(1)
    expect(telemetry.names().filter((name) => name.startsWith('broadcast'))).toEqual([])
  })

  const refusals: [string, number, string, string, RequestInit?][] = [
    ['UNKNOWN_TRANSPORT', 400, 'polling', 'EIO=4&transport=pigeon'],
    ['UNKNOWN_SID', 400, 'polling', 'EIO=4&transport=polling&sid=nobodys'],
    ['BAD_HANDSHAKE_METHOD', 400, 'polling', 'EIO=4&transport=polling', { method: 'POST' }],
    ['BAD_REQUEST', 400, 'polling', 'EIO=4&transport=websocket'],
    ['FORBIDDEN', 403, 'polling', 'EIO=4&transport=polling&forbidden=1'],
    ['UNSUPPORTED_PROTOCOL_VERSION', 400, 'polling', 'EIO=3&transport=polling'],
  ]

  it.each(refusals)('is rejected by Engine.IO: %s', async (type, status, transport, query, init) => {
    const { telemetry } = fixture
    const server = await fixture.listen({
      allowRequest: (request, done) => done(null, !request.url?.includes('forbidden')),
    })
    traceSocketServer(server.io)
    expect((await poll(server, query, init)).status).toBe(status)
    const span = await telemetry.waitForSpan('GET /socket.io')
    expect(span.attributes).toMatchObject({
      'websocket.handshake.outcome': 'rejected',
      'http.response.status_code': status,
      'error.type': type,
      'websocket.transport': transport,
    })
    expect(span.attributes['url.query']).toBe(query.replace('nobodys', 'REDACTED'))
    expect(span.status.code).toBe(SpanStatusCode.UNSET)
    expect(telemetry.spans()).toHaveLength(1)
  })

  it.each([
    ['FORBIDDEN', 'EIO=4&transport=websocket&forbidden=1'],
    ['UNKNOWN_SID', 'EIO=4&transport=websocket&sid=nobodys'],
  ])('of a websocket is rejected by Engine.IO: %s', async (type, query) => {
    const { telemetry } = fixture
    const server = await fixture.listen({ allowRequest: (_request, done) => done(null, false) })
    traceSocketServer(server.io)
    await expect(connect(rawUrl(server, query))).rejects.toThrow('400')
    const span = await telemetry.waitForSpan('GET /socket.io')
    expect(span.attributes).toMatchObject({
      'websocket.handshake.outcome': 'rejected',
      'http.response.status_code': 400,
      'error.type': type,
      'websocket.transport': 'websocket',
    })
    expect(telemetry.spans()).toHaveLength(1)
  })

  it('is abandoned when the client hangs up, or a middleware of Engine.IO answers itself', async () => {
    const { telemetry } = fixture
    const reached: (() => void)[] = []
    const server = await fixture.listen({ allowRequest: () => reached.shift()?.() })
    traceSocketServer(server.io)
    const asked = new Promise<void>((resolve) => reached.push(resolve))
    const hangUp = new AbortController()
    const answer = poll(server, 'EIO=4&transport=polling', { signal: hangUp.signal })
    await asked
    hangUp.abort()
    await expect(answer).rejects.toThrow('abort')
    const span = await telemetry.waitForSpan('GET /socket.io')
    expect(span.attributes['websocket.handshake.outcome']).toBe('abandoned')

    server.io.engine.use((_request: unknown, response: import('node:http').ServerResponse) => {
      response.writeHead(418).end()
    })
    expect((await poll(server, 'EIO=4&transport=polling')).status).toBe(418)
    const answered = await telemetry.waitForSpan('GET /socket.io', 2)
    expect(answered.attributes).toMatchObject({
      'websocket.handshake.outcome': 'rejected',
      'http.response.status_code': 418,
    })
  })

  it('is traced for a server that is attached later, and no longer after restore()', async () => {
    const { telemetry } = fixture
    const io = new Server()
    const traced = traceSocketServer(io)
    const http = createServer()
    io.attach(http)
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    const server = { io, http, url: `http://127.0.0.1:${(http.address() as import('node:net').AddressInfo).port}` }
    const first = await fixture.join(server)
    await telemetry.waitForSpan('open /')
    expect(telemetry.names()).toEqual(['CONNECT /', 'GET /socket.io', 'open /'])
    traced.restore()
    await fixture.join(server)
    expect(telemetry.spans('GET /socket.io')).toHaveLength(1)
    for (const name of ['handleRequest', 'handleUpgrade', 'emit']) expect(Object.hasOwn(io.engine, name)).toBe(false)
    for (const name of ['run', 'emitReserved', '_doConnect']) expect(Object.hasOwn(io.sockets, name)).toBe(false)
    first.disconnect()
    await telemetry.waitForSpan('close /')
    http.closeAllConnections()
    await io.close()
  })
})

describe('heartbeats', () => {
  it('of Engine.IO are recorded as round trips, without spans', async () => {
    const { telemetry } = fixture
    const server = await fixture.listen({ pingInterval: 10, pingTimeout: 20_000 })
    traceSocketServer(server.io)
    const client = await connect(rawUrl(server))
    await joinByHand(client)
    for (let beat = 0; beat < 3; beat++) {
      expect(await client.next()).toBe('2')
      client.send('3')
    }
    expect(await client.next()).toBe('2')
    client.send('41')
    const close = await telemetry.waitForSpan('close /')
    expect(close.attributes['websocket.ping.rtt']).toBeGreaterThan(0)
    const [rtt] = await telemetry.collect('websocket.server.ping.rtt')
    // A beat before the namespace was joined may have been answered as well.
    expect(rtt?.count).toBeGreaterThanOrEqual(3)
    expect(rtt?.attributes).toEqual({ 'websocket.route': '/socket.io' })
    expect(telemetry.names()).toEqual(['CONNECT /', 'GET /socket.io', 'close /', 'open /'])
    client.socket.terminate()
  })
})
