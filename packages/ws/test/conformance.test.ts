import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { SpanKind, trace } from '@opentelemetry/api'
import { connect, RawClient, Telemetry, TestClient } from '@otel-ws/testkit'
import { connectionSuite, handshakeSuite } from '@otel-ws/testkit/suites'
import { connectionOf, traceWebSocketServer } from '@otel-ws/ws'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { certificate, key } from './certificate.ts'
import { harness, harnesses } from './harness.ts'

for (const each of harnesses) handshakeSuite(each)
connectionSuite(harness)

describe('a ws server', () => {
  let telemetry: Telemetry
  let servers: Server[] = []
  let clients: { terminate(): void }[] = []

  beforeEach(() => {
    telemetry = new Telemetry()
    telemetry.install()
  })

  afterEach(async () => {
    for (const client of clients) client.terminate()
    for (const server of servers) {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    }
    clients = []
    servers = []
    await telemetry.uninstall()
    expect(telemetry.openSpans()).toEqual([])
  })

  /** Listens, and returns the address without a path. */
  async function listen(server: Server): Promise<string> {
    servers.push(server)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  async function visit(url: string): Promise<TestClient> {
    const client = await connect(url)
    clients.push(client.socket)
    return client
  }

  const echo = (socket: WebSocket): void => {
    socket.on('message', (data) => socket.send(data.toString()))
  }

  it('over TLS tells the scheme', async () => {
    const server = createTlsServer({ cert: certificate, key })
    const wss = new WebSocketServer({ server })
    traceWebSocketServer(wss, { route: '/secure' })
    wss.on('connection', echo)
    const client = new TestClient((await listen(server)).replace('ws:', 'wss:'), [], { rejectUnauthorized: false })
    clients.push(client.socket)
    await client.opened
    client.send('x')
    expect(await client.next()).toBe('x')
    await client.close(1000)
    const handshake = await telemetry.waitForSpan('GET /secure')
    expect(handshake.attributes['url.scheme']).toBe('wss')
    await telemetry.waitForSpan('send /secure')
    await telemetry.waitForSpan('close /secure')
  })

  it('with a path takes it for the route', async () => {
    const server = createServer()
    traceWebSocketServer(new WebSocketServer({ server, path: '/live' }))
    const client = await visit(`${await listen(server)}/live?x=1`)
    await client.close(1000)
    await telemetry.waitForSpan('close /live')
    expect(telemetry.span('GET /live').attributes['url.path']).toBe('/live')
  })

  it('without any route makes names and metrics without one', async () => {
    const server = createServer()
    const wss = new WebSocketServer({ server })
    traceWebSocketServer(wss)
    wss.on('connection', echo)
    const client = await visit(`${await listen(server)}/user/4711`)
    client.send('x')
    await client.next()
    await client.close(1000)
    await telemetry.waitForSpan('close')
    expect(telemetry.names()).toEqual(['GET', 'close', 'open', 'process', 'send'])
    for (const row of await telemetry.collect()) expect(row.attributes).not.toHaveProperty('websocket.route')
  })

  it('beside another on one http server is told apart, each request once', async () => {
    const server = createServer()
    const chat = new WebSocketServer({ noServer: true })
    const feed = new WebSocketServer({ noServer: true })
    server.on('upgrade', (request, socket, head) => {
      const wss = request.url === '/chat' ? chat : request.url === '/feed' ? feed : undefined
      if (wss === undefined) socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n')
      else wss.handleUpgrade(request, socket, head, (webSocket) => wss.emit('connection', webSocket, request))
    })
    traceWebSocketServer(chat, { route: '/chat', server })
    traceWebSocketServer(feed, { route: '/feed' })
    const url = await listen(server)
    await (await visit(`${url}/chat`)).close(1000)
    await (await visit(`${url}/feed`)).close(1000)
    await telemetry.waitForSpan('close /chat')
    await telemetry.waitForSpan('close /feed')
    const outcomes = telemetry
      .spans()
      .filter((span) => span.name.startsWith('GET'))
      .map((span) => [span.name, span.attributes['websocket.handshake.outcome']])
    expect(outcomes).toEqual([
      ['GET /chat', 'accepted'],
      ['GET /feed', 'accepted'],
    ])
    const stranger = new RawClient(`${url}/nobody`)
    expect((await stranger.response).status).toBe(404)
    await stranger.closed
    const isRejected = () => telemetry.spans().some((span) => span.attributes['http.response.status_code'] === 404)
    await telemetry.waitUntil(isRejected, 'the rejected handshake')
    expect(telemetry.spans().filter((span) => span.name.startsWith('GET'))).toHaveLength(3)
  })

  it('sharing an http server by path, where the first to see a request rejects it, is told as its client sees it', async () => {
    const server = createServer()
    const first = new WebSocketServer({ server, path: '/first' })
    const second = new WebSocketServer({ server, path: '/second' })
    traceWebSocketServer(first)
    traceWebSocketServer(second)
    second.on('connection', (socket) => socket.on('error', () => {}))
    const client = new RawClient(`${await listen(server)}/second`)
    const { status } = await client.response
    client.socket.destroy()
    await client.closed
    await telemetry.waitUntil(() => telemetry.spans().some((span) => span.name.startsWith('GET')), 'a handshake')
    const handshakes = telemetry.spans().filter((span) => span.name.startsWith('GET'))
    expect(handshakes.map((span) => span.attributes['http.response.status_code'])).toEqual([status])
  })

  it('of another copy of ws in the process is traced alike', async () => {
    const require = createRequire(import.meta.url)
    const loaded = Object.keys(require.cache).filter((file) => /[\\/]ws[\\/](lib|index|wrapper)/.test(file))
    for (const file of loaded) delete require.cache[file]
    const copy = require('ws') as typeof import('ws')
    expect(copy.WebSocketServer).not.toBe(WebSocketServer)
    const server = createServer()
    const own = new WebSocketServer({ noServer: true })
    const other = new copy.WebSocketServer({ noServer: true })
    for (const [wss, route] of [
      [own, '/own'],
      [other, '/other'],
    ] as const) {
      traceWebSocketServer(wss, { route })
      wss.on('connection', echo)
    }
    server.on('upgrade', (request, socket, head) => {
      const wss = request.url === '/own' ? own : other
      wss.handleUpgrade(request, socket, head, (webSocket) => wss.emit('connection', webSocket, request))
    })
    const url = await listen(server)
    for (const path of ['/own', '/other']) {
      const client = await visit(url + path)
      client.send('x')
      await client.next()
      await client.close(1000)
      await telemetry.waitForSpan(`close ${path}`)
      await telemetry.waitForSpan(`process ${path}`)
      await telemetry.waitForSpan(`send ${path}`)
    }
  })

  it('has its earlier listeners traced as well as its later ones', async () => {
    const server = createServer()
    const wss = new WebSocketServer({ server })
    const active: unknown[] = []
    const note = (): unknown => active.push(trace.getActiveSpan()?.spanContext().spanId)
    wss.on('connection', note)
    traceWebSocketServer(wss, { route: '/r' })
    wss.on('connection', note)
    await visit(await listen(server))
    const span = await telemetry.waitForSpan('open /r')
    expect(active).toEqual([span.spanContext().spanId, span.spanContext().spanId])
    expect(telemetry.spans('open /r')).toHaveLength(1)
  })

  it('that does not track its clients, or answers upgrades itself, is traced all the same', async () => {
    const server = createServer()
    const wss = new WebSocketServer({ noServer: true, clientTracking: false })
    traceWebSocketServer(wss, { route: '/r' })
    const accepted: unknown[] = []
    server.on('upgrade', (request, socket, head) => {
      wss.handleUpgrade(request, socket, head, (webSocket) => {
        accepted.push(connectionOf(webSocket)?.route)
        echo(webSocket)
      })
    })
    const client = await visit(await listen(server))
    client.send('x')
    await client.next()
    await client.close(1000)
    await telemetry.waitForSpan('close /r')
    expect(accepted).toEqual(['/r'])
    expect(telemetry.names()).toEqual(['GET /r', 'close /r', 'process /r', 'send /r'])
  })

  it("in a request's SERVER span makes an INTERNAL handshake under it", async () => {
    const server = createServer()
    const wss = new WebSocketServer({ noServer: true })
    traceWebSocketServer(wss, { route: '/r' })
    server.on('upgrade', (request, socket, head) => {
      trace.getTracer('app').startActiveSpan('request', { kind: SpanKind.SERVER }, (span) => {
        wss.handleUpgrade(request, socket, head, (webSocket) => wss.emit('connection', webSocket, request))
        span.end()
      })
    })
    await visit(await listen(server))
    const handshake = await telemetry.waitForSpan('GET /r')
    const request = await telemetry.waitForSpan('request')
    expect(handshake.kind).toBe(SpanKind.INTERNAL)
    expect(handshake.parentSpanContext?.spanId).toBe(request.spanContext().spanId)
  })

  it('that is going down rejects handshakes with 503, which is an error', async () => {
    const server = createServer()
    const wss = new WebSocketServer({ noServer: true })
    traceWebSocketServer(wss, { route: '/r' })
    server.on('upgrade', (request, socket, head) => wss.handleUpgrade(request, socket, head, () => {}))
    const url = await listen(server)
    wss.close()
    const client = new RawClient(url)
    expect((await client.response).status).toBe(503)
    await client.closed
    const span = await telemetry.waitForSpan('GET /r')
    expect(span.attributes).toMatchObject({ 'websocket.handshake.outcome': 'rejected', 'error.type': '503' })
  })

  it('gets its own methods back, and what is open stays traced until it closes', async () => {
    const server = createServer()
    const wss = new WebSocketServer({ server })
    const { handleUpgrade, emit } = wss
    const traced = traceWebSocketServer(wss, { route: '/r' })
    wss.on('connection', echo)
    const url = await listen(server)
    const before = await visit(url)
    traced.restore()
    expect([wss.handleUpgrade === handleUpgrade, wss.emit === emit]).toEqual([true, true])
    expect(Object.keys(wss)).not.toContain('emit')
    const after = await visit(url)
    after.send('untraced')
    expect(await after.next()).toBe('untraced')
    before.send('traced')
    expect(await before.next()).toBe('traced')
    await after.close(1000)
    await before.close(1000)
    await telemetry.waitForSpan('close /r')
    expect(telemetry.names()).toEqual(['GET /r', 'close /r', 'open /r', 'process /r', 'send /r'])
  })

  it('traced twice is traced once', async () => {
    const server = createServer()
    const wss = new WebSocketServer({ server })
    traceWebSocketServer(wss, { route: '/r' })
    traceWebSocketServer(wss, { route: '/again' })
    await (await visit(await listen(server))).close(1000)
    await telemetry.waitForSpan('close /r')
    expect(telemetry.names()).toEqual(['GET /r', 'close /r', 'open /r'])
    expect(telemetry.diagnostics.filter((line) => line.includes('traced already'))).toEqual([
      expect.stringContaining('the options of the first call hold; ignored: route'),
    ])
  })

  it('finds an SDK that is registered after it', async () => {
    await telemetry.uninstall()
    telemetry = new Telemetry()
    const server = createServer()
    const wss = new WebSocketServer({ server })
    traceWebSocketServer(wss, { route: '/r' })
    wss.on('connection', echo)
    const url = await listen(server)
    const early = await visit(url)
    early.send('x')
    await early.next()
    telemetry.install()
    const late = await visit(url)
    late.send('x')
    await late.next()
    await late.close(1000)
    await telemetry.waitForSpan('close /r')
    expect(telemetry.names()).toEqual(['GET /r', 'close /r', 'open /r', 'process /r', 'send /r'])
    const rows = await telemetry.collect('websocket.server.messages')
    expect(rows.map((row) => row.value)).toEqual([2, 2])
    const [active] = await telemetry.collect('websocket.server.connection.active')
    expect(active?.value).toBe(1)
  })

  it.each([
    [{ traces: 'conected' }, /traces must be one of 'linked', 'connection'; got 'conected'/],
    [{ outgoign: false }, /outgoign does not exist: did you mean outgoing\?/],
    [{ maxMessageNames: 0 }, /maxMessageNames must be a whole number of 1 or more; got 0/],
    [{ messageName: 'type' }, /messageName must be a path such as '\$\.type'/],
    [{ closeCodes: [1000] }, /closeCodes must be a list of codes from 3000 to 4999/],
    [{ heartbeatTerminate: true }, /heartbeatTerminate needs heartbeatInterval/],
    [{ ignore: { route: [] } }, /ignore has no member route: use routes and messages/],
    [{ onClose: 'log' }, /onClose must be a function/],
  ])('refuses %j at set-up and is left as it was', (options, message) => {
    const wss = new WebSocketServer({ noServer: true })
    const { handleUpgrade, emit } = wss
    const refused = () => traceWebSocketServer(wss, options as never)
    expect(refused).toThrow(TypeError)
    expect(refused).toThrow(message)
    expect([wss.handleUpgrade === handleUpgrade, wss.emit === emit]).toEqual([true, true])
  })

  it('is not confused by options that change after the set-up', async () => {
    const server = createServer()
    const wss = new WebSocketServer({ server })
    const options = { route: '/r', outgoing: true, closeCodes: [4001] }
    traceWebSocketServer(wss, options)
    wss.on('connection', echo)
    options.route = '/changed'
    options.outgoing = false
    options.closeCodes.length = 0
    const client = await visit(await listen(server))
    client.send('x')
    await client.next()
    await client.close(4001)
    await telemetry.waitForSpan('close /r')
    await telemetry.waitForSpan('send /r')
    const [duration] = await telemetry.collect('websocket.server.connection.duration')
    expect(duration?.attributes['websocket.close.code']).toBe(4001)
  })
})
