import { context, propagation, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api'
import { type ReadableSpan, TracerProvider } from '@opentelemetry/sdk-trace'
import { type ClientOptions, connectionOf, jsonName, traceHeaders, traceUrl, traceWebSocket } from '@otel-ws/client'
import { jsonTextVectors, Telemetry } from '@otel-ws/testkit'
import { connectionOf as serverConnectionOf, traceWebSocketServer, type WebSocketServerOptions } from '@otel-ws/ws'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type WebSocketServer, WebSocket as WsClient, type WebSocket as WsSocket } from 'ws'
import { close, event, kinds, listen } from './clients.ts'

const ROUTE = '/chat/:room'
const CLIENT = '@otel-ws/client'
const SERVER = '@otel-ws/ws'

/** Has spans that no test sees. */
const unseen = new TracerProvider()

/** How a client asks for context in messages. */
const ways = [
  ...kinds.map(({ name, connect }) => ({
    name: `${name}, in the query`,
    byHeader: false,
    connect: (url: string, options: ClientOptions) => connect(traceUrl(url, options)),
  })),
  {
    name: 'ws, in a header',
    byHeader: true,
    connect: (url: string, options: ClientOptions) =>
      new WsClient(url, { headers: traceHeaders(url, options) }) as unknown as WebSocket,
  },
]

describe.each(ways)('$name', ({ name, connect, byHeader }) => {
  let telemetry: Telemetry
  let servers: WebSocketServer[]
  let sockets: WebSocket[]

  beforeEach(() => {
    telemetry = new Telemetry()
    telemetry.install()
    servers = []
    sockets = []
  })

  afterEach(async () => {
    for (const socket of sockets) socket.close()
    for (const wss of servers) await close(wss)
    await telemetry.waitUntil(() => telemetry.openSpans().length === 0, 'the end of every span')
    await telemetry.uninstall()
    // Told once in the life of a process, whichever test comes first.
    expect(telemetry.diagnostics.filter((line) => !line.includes('context that is malformed'))).toEqual([])
  })

  /** A server whose connections are handled by `connection`, with telemetry unless told otherwise. */
  async function serve(connection: (socket: WsSocket) => void, options: WebSocketServerOptions | null = {}) {
    const server = await listen()
    servers.push(server.wss)
    if (options !== null) traceWebSocketServer(server.wss, { route: ROUTE, messageName: '$.type', ...options })
    server.wss.on('connection', connection)
    return server
  }

  function visit(url: string, options: ClientOptions = {}): WebSocket {
    const all = { route: ROUTE, messageName: jsonName('$.type'), ...options }
    const socket = traceWebSocket(connect(url, all), all)
    socket.addEventListener('error', () => {})
    sockets.push(socket)
    return socket
  }

  const by = (scope: string, name: string): ReadableSpan => {
    const [span, ...more] = telemetry.spans(name).filter((one) => one.instrumentationScope.name === scope)
    if (span === undefined || more.length > 0) throw new Error(`not one ${name}: ${telemetry.names()}`)
    return span
  }
  const idOf = (span: ReadableSpan) => span.spanContext().spanId
  const parentOf = (span: ReadableSpan) => span.parentSpanContext?.spanId
  const both = (name: string) =>
    telemetry.waitUntil(
      () => new Set(telemetry.spans(name).map((span) => span.instrumentationScope.name)).size === 2,
      `${name} of both ends`,
    )
  const connectionIds = (name: string) =>
    telemetry.spans(name).map((span) => span.attributes['websocket.connection.id'])

  it('makes one trace of a question and its answer, and tells the same connection and places', async () => {
    const seen: string[] = []
    const { url } = await serve((socket) => {
      socket.on('message', async (data) => {
        seen.push(data.toString())
        await Promise.resolve()
        socket.send('{"type":"answer","n":1}')
      })
    })
    const tracer = trace.getTracer('application')
    const click = tracer.startSpan('click', { root: true })
    const inClick = <R>(act: () => R): R => context.with(trace.setSpan(ROOT_CONTEXT, click), act)
    const socket = inClick(() => visit(url))
    const answered = new Promise<string>((resolve) => {
      socket.addEventListener('message', ({ data }) => {
        tracer.startSpan('render').end()
        resolve(String(data))
      })
    })
    const answer = event<MessageEvent>(socket, 'message')
    await event(socket, 'open')
    // By hello, the client is in agreement once it has come: the server pushes nothing else that would tell.
    if (!byHeader) await helloOf(socket)
    inClick(() => socket.send('{"type":"question"}'))
    click.end()
    expect(await answered).toBe('{"type":"answer","n":1}')
    expect(String((await answer).data)).toBe('{"type":"answer","n":1}')
    expect(seen).toEqual(['{"type":"question"}'])
    await telemetry.waitForSpan('process answer')
    const handshake = by(SERVER, `GET ${ROUTE}`)
    const connected = by(CLIENT, `connect ${ROUTE}`)
    expect([parentOf(connected), parentOf(handshake)]).toEqual([idOf(click as never), idOf(connected)])
    const chain = [
      by(CLIENT, 'send question'),
      by(SERVER, 'process question'),
      by(SERVER, 'send answer'),
      by(CLIENT, 'process answer'),
      telemetry.span('render'),
    ]
    expect(chain.map(parentOf)).toEqual([click.spanContext().spanId, ...chain.slice(0, -1).map(idOf)])
    expect(new Set(telemetry.spans().map((span) => span.spanContext().traceId)).size).toBe(1)
    expect(chain[3]?.kind).toBe(SpanKind.CONSUMER)
    // Service graphs would look for its partner among its links.
    expect(chain[3]?.links).toEqual([])
    const id = connectionOf(socket)?.id
    expect(id).toMatch(/^[0-9a-f]{16}$/)
    for (const { name } of telemetry.spans())
      if (name !== 'click' && name !== 'render') expect(connectionIds(name)).toEqual([id])
    for (const span of chain.slice(0, 4)) expect(span.attributes['websocket.message.sequence']).toBe(1)
    expect(chain[0]?.attributes['websocket.message.size']).toBe(19)
    expect(chain[1]?.attributes['websocket.message.size']).toBe(19)
  })

  /** Resolves when the hello has been taken: the connection's id is known from then on. */
  async function helloOf(socket: WebSocket): Promise<void> {
    while (connectionOf(socket)?.id === undefined) await new Promise((resolve) => setImmediate(resolve))
  }

  it('has the id of the server on every span, also on those from before it was known', async () => {
    const { url, wss } = await serve((socket) => {
      socket.on('message', (data) => data.toString() === 'end' && socket.close(1000))
    })
    const socket = visit(url)
    await event(socket, 'open')
    socket.send('first')
    socket.send('end')
    const [peer] = wss.clients
    const id = serverConnectionOf(peer as WsSocket)?.id
    await event(socket, 'close')
    await both(`close ${ROUTE}`)
    expect(id).toMatch(/^[0-9a-f]{16}$/)
    expect(new Set(telemetry.spans().map((span) => span.attributes['websocket.connection.id']))).toEqual(new Set([id]))
    expect(telemetry.spans(`send ${ROUTE}`)).toHaveLength(2)
    for (const span of telemetry.spans()) expect(span.duration[0]).toBeGreaterThanOrEqual(0)
    const { attributes } = by(CLIENT, `close ${ROUTE}`)
    expect(attributes).toMatchObject({
      'websocket.connection.messages.received': 0,
      'websocket.connection.messages.sent': 2,
      'websocket.connection.bytes.sent': 8,
    })
  })

  it('adds nothing for a server that does not agree', async () => {
    const frames: string[] = []
    const { url } = await serve((socket) => {
      socket.on('message', (data) => {
        frames.push(data.toString())
        socket.send(data.toString())
      })
    }, null)
    const socket = visit(url)
    await event(socket, 'open')
    socket.send('{"type":"say"}')
    await event(socket, 'message')
    socket.send('{"type":"say"}')
    await event(socket, 'message')
    expect(frames).toEqual(['{"type":"say"}', '{"type":"say"}'])
    socket.close(1000)
    await event(socket, 'close')
    const ids = new Set(telemetry.spans().map((span) => span.attributes['websocket.connection.id']))
    expect([...ids]).toEqual([connectionOf(socket)?.id])
  })

  // Node's own client drops a byte order mark by itself.
  const isWs = name.startsWith('ws')

  it('gives back every text as it was, either way', async () => {
    const texts = [...jsonTextVectors.splice, ...jsonTextVectors.untouched, ...jsonTextVectors.ordinary]
      .map(({ text }) => text)
      .filter((text) => isWs || !text.startsWith('\ufeff'))
    const { url } = await serve((socket) => {
      socket.on('message', (data, binary) => socket.send(data, { binary }))
    })
    const socket = visit(url)
    const received: string[] = []
    const all = new Promise<void>((resolve) => {
      socket.addEventListener('message', ({ data }) => {
        received.push(String(data))
        if (received.length === texts.length) resolve()
      })
    })
    await event(socket, 'open')
    if (!byHeader) await helloOf(socket)
    for (const text of texts) socket.send(text)
    await all
    expect(received).toEqual(texts)
    await telemetry.waitUntil(() => telemetry.openSpans().length === 0, 'the end of every span')
    const places = (scope: string, operation: string) =>
      telemetry
        .spans()
        .filter((span) => span.instrumentationScope.name === scope && span.name.startsWith(operation))
        .map((span) => span.attributes['websocket.message.sequence'] as number)
        .sort((a, b) => a - b)
    const expected = texts.map((_, index) => index + 1)
    for (const [scope, operation] of [
      [CLIENT, 'send'],
      [SERVER, 'process'],
      [SERVER, 'send'],
      [CLIENT, 'process'],
    ] as const) {
      expect([scope, operation, places(scope, operation)]).toEqual([scope, operation, expected])
    }
  })

  it('keeps an agreement from the application that nobody waits for any more', async () => {
    const frames: string[] = []
    const { url } = await serve((socket) => {
      socket.on('message', () => socket.send('{"type":"answer"}'))
    })
    const options = { route: ROUTE, messageName: jsonName('$.type') }
    const made = connect(url, options)
    // More connects are begun than are remembered: that of this socket is given up before it is traced.
    for (let n = 0; n < 20; n++) traceUrl('ws://elsewhere.test/', { tracerProvider: unseen })
    const socket = traceWebSocket(made, options)
    sockets.push(socket)
    socket.addEventListener('message', ({ data }) => frames.push(String(data)))
    await event(socket, 'open')
    socket.send('{"type":"question"}')
    await telemetry.waitForSpan('process answer')
    expect(frames).toEqual(['{"type":"answer"}'])
  })

  it('lets the peer be a link, or nothing', async () => {
    for (const remoteContext of ['link', 'ignore'] as const) {
      const { url } = await serve((socket) => {
        socket.on('message', () => socket.send(`{"type":"${remoteContext}"}`))
      })
      const socket = visit(url, { remoteContext })
      await event(socket, 'open')
      if (!byHeader) await helloOf(socket)
      socket.send('go')
      const span = await telemetry.waitForSpan(`process ${remoteContext}`)
      expect(span.parentSpanContext).toBeUndefined()
      expect(span.links.map((link) => link.attributes?.['websocket.link.kind'])).toEqual(
        remoteContext === 'link' ? ['handshake', 'message'] : ['handshake'],
      )
      if (remoteContext === 'link') {
        expect(span.links[1]?.context.spanId).toBe(idOf(by(SERVER, `send ${remoteContext}`)))
      }
    }
  })

  it('asks for nothing when told not to, and traces the handshake all the same', async () => {
    const frames: string[] = []
    const { url } = await serve((socket) => {
      socket.on('message', (data) => frames.push(data.toString()))
      socket.on('message', () => socket.send('{"type":"answer"}'))
    })
    const socket = visit(url, { propagation: 'off' })
    await event(socket, 'open')
    socket.send('{"type":"say"}')
    await event(socket, 'message')
    await telemetry.waitForSpan('process answer')
    expect(frames).toEqual(['{"type":"say"}'])
    expect(parentOf(by(SERVER, `GET ${ROUTE}`))).toBe(idOf(by(CLIENT, `connect ${ROUTE}`)))
    expect(by(CLIENT, 'process answer').parentSpanContext).toBeUndefined()
  })

  it.runIf(byHeader)(
    'tells one connect where an instrumentation of http puts its own context into the request',
    async () => {
      const { url } = await serve(() => {})
      const options = { route: ROUTE }
      const http = trace.getTracer('http').startSpan('GET', { kind: SpanKind.CLIENT })
      const { traceId, spanId } = http.spanContext()
      const headers = { ...traceHeaders(url, options), traceparent: `00-${traceId}-${spanId}-01` }
      const socket = traceWebSocket(new WsClient(url, { headers }) as unknown as WebSocket, options)
      sockets.push(socket)
      await event(socket, 'open')
      http.end()
      const connect = await telemetry.waitForSpan(`connect ${ROUTE}`)
      expect(connect.attributes['websocket.handshake.outcome']).toBe('accepted')
      expect(parentOf(by(SERVER, `GET ${ROUTE}`))).toBe(spanId)
      expect(connectionOf(socket)?.id).toBe(serverConnectionOf([...(servers[0]?.clients ?? [])][0] as WsSocket)?.id)
      expect(telemetry.openSpans()).toEqual([])
    },
  )

  it('carries baggage to the server, which it takes when it trusts the client with it', async () => {
    const { url } = await serve((socket) => {
      socket.on('message', () => socket.send(String(propagation.getActiveBaggage()?.getEntry('tenant')?.value)))
    })
    const socket = visit(url)
    await event(socket, 'open')
    if (!byHeader) await helloOf(socket)
    const baggage = propagation.createBaggage({ tenant: { value: 'acme' } })
    context.with(propagation.setBaggage(ROOT_CONTEXT, baggage), () => socket.send('{}'))
    const { data } = await event<MessageEvent>(socket, 'message')
    expect(String(data)).toBe(byHeader ? 'acme' : 'undefined')
  })
})
