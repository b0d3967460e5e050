import { setImmediate } from 'node:timers/promises'
import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { type ClientOptions, connectionOf, jsonName, OptionError, traceWebSocket } from '@otel-ws/client'
import { Telemetry, withProcessErrors } from '@otel-ws/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { WebSocketServer, WebSocket as WsSocket } from 'ws'
import { type ClientKind, close, event, kinds, listen } from './clients.ts'

const ROUTE = '/chat/:room'

describe.each(kinds)('$name', ({ connect }: ClientKind) => {
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
    expect(telemetry.diagnostics).toEqual([])
  })

  async function serve(connection: (socket: WsSocket) => void = () => {}, options = {}) {
    const server = await listen(options)
    servers.push(server.wss)
    server.wss.on('connection', connection)
    return server
  }

  function visit(url: string, options: ClientOptions = {}, protocols: string[] = []): WebSocket {
    const socket = traceWebSocket(connect(url, protocols), { route: ROUTE, ...options })
    sockets.push(socket)
    return socket
  }

  const echo = (socket: WsSocket): void => {
    socket.on('message', (data, binary) => socket.send(data, { binary }))
  }

  /** A socket that is connected to a server that answers with what it gets. */
  async function open(options?: ClientOptions, protocols?: string[], server = {}) {
    const { wss, url } = await serve(echo, server)
    const socket = visit(url, options, protocols)
    socket.binaryType = 'arraybuffer'
    socket.addEventListener('error', () => {})
    await event(socket, 'open')
    return { socket, wss, url }
  }

  const linkOf = (name: string, n = 0) => telemetry.spans(name)[n]?.links[0]

  it('tells a connect, a send, a message and a close, linked to the connect', async () => {
    const { socket } = await open({}, ['chat'], {})
    const connect = telemetry.span(`connect ${ROUTE}`)
    const id = connectionOf(socket)?.id
    expect(id).toMatch(/^[0-9a-f]{16}$/)
    expect(connect.kind).toBe(SpanKind.CLIENT)
    expect(connect.parentSpanContext).toBeUndefined()
    expect(connect.attributes).toEqual({
      'websocket.connection.id': id,
      'websocket.route': ROUTE,
      'websocket.subprotocol': 'chat',
      'websocket.handshake.outcome': 'accepted',
      'url.scheme': 'ws',
      'url.path': '/chat/lobby',
      'server.address': '127.0.0.1',
      'server.port': Number(new URL(socket.url).port),
      ...('emit' in socket && { 'http.response.status_code': 101 }),
    })
    socket.send('né')
    const message = await event<MessageEvent>(socket, 'message')
    expect(String(message.data)).toBe('né')
    await telemetry.waitForSpan(`process ${ROUTE}`)
    socket.close(4001, 'done')
    await event(socket, 'close')
    const close = telemetry.span(`close ${ROUTE}`)
    const send = telemetry.span(`send ${ROUTE}`)
    const process = telemetry.span(`process ${ROUTE}`)
    const identity = { 'websocket.connection.id': id, 'websocket.route': ROUTE, 'websocket.subprotocol': 'chat' }
    const described = {
      ...identity,
      'websocket.message.type': 'text',
      'websocket.message.size': 3,
      'websocket.message.sequence': 1,
    }
    expect([send.kind, send.attributes]).toEqual([SpanKind.INTERNAL, described])
    expect([process.kind, process.attributes]).toEqual([SpanKind.INTERNAL, described])
    expect(close.kind).toBe(SpanKind.INTERNAL)
    expect(close.attributes).toEqual({
      ...identity,
      'network.protocol.name': 'websocket',
      'network.transport': 'tcp',
      'websocket.close.code': 4001,
      'websocket.close.category': 'application',
      'websocket.close.initiator': 'local',
      'websocket.connection.duration': expect.any(Number),
      'websocket.connection.messages.received': 1,
      'websocket.connection.messages.sent': 1,
      'websocket.connection.bytes.received': 3,
      'websocket.connection.bytes.sent': 3,
    })
    for (const name of ['send', 'process', 'close']) {
      expect(telemetry.span(`${name} ${ROUTE}`).parentSpanContext).toBeUndefined()
      expect(linkOf(`${name} ${ROUTE}`)).toMatchObject({
        context: { spanId: connect.spanContext().spanId, traceId: connect.spanContext().traceId },
        attributes: { 'websocket.link.kind': 'handshake' },
      })
    }
    const traces = telemetry.spans().map((span) => span.spanContext().traceId)
    expect(new Set(traces).size).toBe(4)
  })

  it('connects as part of what is going on, and has no part in it later', async () => {
    const { url } = await serve(echo)
    const tracer = trace.getTracer('application')
    const click = tracer.startSpan('click')
    const socket = context.with(trace.setSpan(ROOT_CONTEXT, click), () => visit(url))
    click.end()
    await event(socket, 'open')
    context.with(ROOT_CONTEXT, () => socket.send('x'))
    await telemetry.waitForSpan(`process ${ROUTE}`)
    expect(telemetry.span(`connect ${ROUTE}`).parentSpanContext?.spanId).toBe(click.spanContext().spanId)
    expect(telemetry.span(`process ${ROUTE}`).parentSpanContext).toBeUndefined()
  })

  it('covers handlers until they have settled, and what they send is theirs', async () => {
    const { socket } = await open()
    let release = (): void => {}
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    const seen: (string | undefined)[] = []
    socket.addEventListener('message', async ({ data }) => {
      seen.push(trace.getActiveSpan()?.spanContext().spanId)
      if (String(data) !== 'question') return
      await gate
      socket.send('answer')
    })
    const handled = new Promise<void>((resolve) => {
      socket.onmessage = () => {
        seen.push(trace.getActiveSpan()?.spanContext().spanId)
        resolve()
      }
    })
    socket.send('question')
    await handled
    await setImmediate()
    expect(telemetry.openSpans()).toEqual([`process ${ROUTE}`])
    release()
    const process = await telemetry.waitForSpan(`process ${ROUTE}`)
    const [, send] = [await telemetry.waitForSpan(`send ${ROUTE}`), await telemetry.waitForSpan(`send ${ROUTE}`, 2)]
    expect(send.parentSpanContext?.spanId).toBe(process.spanContext().spanId)
    expect(send.links).toEqual([])
    expect(seen).toEqual([process.spanContext().spanId, process.spanContext().spanId])
  })

  it('tells a handler that throws, and throws on', async () => {
    const { socket } = await open()
    const failure = new RangeError('handler failed')
    socket.addEventListener('message', () => {
      throw failure
    })
    await withProcessErrors(async (errors) => {
      socket.send('x')
      expect(await errors.next()).toEqual({ event: 'uncaughtException', error: failure })
    })
    const span = await telemetry.waitForSpan(`process ${ROUTE}`)
    expect(span.status).toEqual({ code: SpanStatusCode.ERROR, message: 'handler failed' })
    expect(span.attributes['error.type']).toBe('RangeError')
    expect(span.events.map(({ name }) => name)).toEqual(['exception'])
  })

  it('names messages, by a path or a function', async () => {
    const { socket } = await open({ messageName: jsonName('$.type') })
    socket.send('{"type":"say"}')
    expect((await telemetry.waitForSpan('process say')).attributes['websocket.message.name']).toBe('say')
    expect(telemetry.span('send say').attributes['websocket.message.name']).toBe('say')
    const other = await open({ messageName: (data, binary) => `${typeof data} ${binary}` })
    other.socket.send(new Uint8Array(3))
    await telemetry.waitForSpan('process object true')
    expect(telemetry.span('send object true').attributes['websocket.message.size']).toBe(3)
  })

  it.each([
    ['text', 'a', 1],
    ['text', '€𝄞é', 9],
    ['binary', new Uint8Array([1, 2, 3, 4]).buffer, 4],
    ['binary', new Uint8Array([1, 2, 3, 4]).subarray(1), 3],
    ['binary', new DataView(new ArrayBuffer(5)), 5],
  ])('knows the size of %s %s: %d', async (type, data, size) => {
    const { socket } = await open()
    socket.send(data as never)
    const attributes = { 'websocket.message.type': type, 'websocket.message.size': size }
    expect((await telemetry.waitForSpan(`process ${ROUTE}`)).attributes).toMatchObject(attributes)
    expect(telemetry.span(`send ${ROUTE}`).attributes).toMatchObject(attributes)
  })

  it('counts places of messages in each direction, sampled or not', async () => {
    const { socket } = await open()
    let received = 0
    const third = new Promise<void>((resolve) => {
      socket.addEventListener('message', () => {
        if (++received === 3) resolve()
      })
    })
    for (const text of ['a', 'b', 'c']) socket.send(text)
    await third
    await telemetry.waitForSpan(`process ${ROUTE}`, 3)
    const places = (name: string) => telemetry.spans(name).map((span) => span.attributes['websocket.message.sequence'])
    expect([places(`send ${ROUTE}`), places(`process ${ROUTE}`)]).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ])
  })

  it('tells a message that is sent when the connection is closing', async () => {
    const { socket } = await open()
    socket.close()
    try {
      socket.send('late')
    } catch {}
    await event(socket, 'close')
    const span = telemetry.span(`send ${ROUTE}`)
    expect(span.status.code).toBe(SpanStatusCode.ERROR)
    expect(span.attributes['error.type']).toBe('not_open')
    expect(span.attributes['websocket.message.sequence']).toBeUndefined()
    expect(telemetry.span(`close ${ROUTE}`).attributes).toMatchObject({
      'websocket.close.code': 1005,
      'websocket.close.category': 'no_status',
      'websocket.close.initiator': 'local',
      'websocket.connection.messages.sent': 0,
    })
  })

  it('makes no span of a message that is sent too early, which throws', async () => {
    const { url } = await serve(echo)
    const socket = visit(url)
    expect(() => socket.send('early')).toThrow()
    await event(socket, 'open')
    expect(telemetry.names()).toEqual([`connect ${ROUTE}`])
  })

  it.each([
    ['by the server', (socket: WsSocket) => socket.close(1012, 'restart'), 1012, 'restart', 'remote'],
    ['by the server, without a code', (socket: WsSocket) => socket.close(), 1005, 'no_status', 'remote'],
    ['by the network', (socket: WsSocket) => socket.terminate(), 1006, 'abnormal', 'network'],
  ])('tells a close %s', async (_, act, code, category, initiator) => {
    const { socket, wss } = await open({ closeReason: true })
    const [peer] = wss.clients
    act(peer as WsSocket)
    await event(socket, 'close')
    expect(telemetry.span(`close ${ROUTE}`).attributes).toMatchObject({
      'websocket.close.code': code,
      'websocket.close.category': category,
      'websocket.close.initiator': initiator,
    })
    expect(telemetry.span(`close ${ROUTE}`).attributes['websocket.close.reason']).toBe(
      code === 1012 ? 'restart' : undefined,
    )
  })

  it('tells a connect that fails', async () => {
    const { wss, url } = await serve()
    servers.pop()
    await close(wss)
    const socket = visit(url)
    socket.addEventListener('error', () => {})
    const span = await telemetry.waitForSpan(`connect ${ROUTE}`)
    expect(span.status.code).toBe(SpanStatusCode.ERROR)
    expect(span.attributes).toMatchObject({
      'websocket.handshake.outcome': 'failed',
      'error.type': 'emit' in socket ? 'ECONNREFUSED' : 'failed',
    })
    expect(telemetry.names()).toEqual([`connect ${ROUTE}`])
  })

  it('tells a connect that is rejected', async () => {
    const { url } = await serve(() => {}, { verifyClient: () => false })
    const socket = visit(url)
    socket.addEventListener('error', () => {})
    const { attributes, status } = await telemetry.waitForSpan(`connect ${ROUTE}`)
    expect(status.code).toBe(SpanStatusCode.ERROR)
    // Only `ws` tells how it was answered.
    if ('emit' in socket) {
      expect(attributes).toMatchObject({
        'websocket.handshake.outcome': 'rejected',
        'http.response.status_code': 401,
        'error.type': '401',
      })
    } else expect(attributes).toMatchObject({ 'websocket.handshake.outcome': 'failed', 'error.type': 'failed' })
    expect(telemetry.names()).toEqual([`connect ${ROUTE}`])
  })

  it('tells a connect that the application gives up, which is no error', async () => {
    const { url } = await serve()
    const socket = visit(url)
    socket.addEventListener('error', () => {})
    socket.close()
    const span = await telemetry.waitForSpan(`connect ${ROUTE}`)
    expect(span.status.code).toBe(SpanStatusCode.UNSET)
    expect(span.attributes['websocket.handshake.outcome']).toBe('abandoned')
    expect(telemetry.names()).toEqual([`connect ${ROUTE}`])
  })

  it('tells which connects replace a connection that was lost', async () => {
    const { wss, url } = await serve()
    const lost = visit(url)
    lost.addEventListener('error', () => {})
    await event(lost, 'open')
    const [peer] = wss.clients
    peer?.terminate()
    await event(lost, 'close')
    const { port } = wss.address() as { port: number }
    await close(wss)
    servers.pop()
    const vain = visit(url)
    vain.addEventListener('error', () => {})
    await telemetry.waitForSpan(`connect ${ROUTE}`, 2)
    await serve(() => {}, { port })
    const again = visit(`${url}&more=1`)
    await event(again, 'open')
    again.close(1000)
    await event(again, 'close')
    const fresh = visit(url)
    await event(fresh, 'open')
    const connects = telemetry.spans(`connect ${ROUTE}`)
    expect(connects.map(({ attributes }) => attributes['websocket.reconnect.attempt'])).toEqual([
      undefined,
      1,
      2,
      undefined,
    ])
    const first = connects[0]?.spanContext()
    for (const replacing of connects.slice(1, 3)) {
      expect(replacing.links).toMatchObject([
        { context: { spanId: first?.spanId }, attributes: { 'websocket.link.kind': 'previous' } },
      ])
      expect(replacing.attributes['websocket.reconnect.downtime']).toBeGreaterThan(0)
    }
    expect(connects[3]?.links).toEqual([])
    const [row] = await telemetry.collect('websocket.client.reconnects')
    expect(row).toMatchObject({ value: 1, attributes: { 'websocket.route': ROUTE } })
  })

  it('measures what it tells', async () => {
    const { socket } = await open({ messageSizeMetric: true, messageName: jsonName('$.type') })
    let release = (): void => {}
    socket.addEventListener('message', async () => new Promise<void>((resolve) => (release = resolve)))
    socket.send('{"type":"say"}')
    await event(socket, 'message')
    const rows = async (name: string) =>
      (await telemetry.collect(`websocket.client.${name}`)).map(({ attributes, value, count, sum }) => ({
        ...Object.fromEntries(Object.entries(attributes).map(([key, told]) => [key.split('.').at(-1), told])),
        ...(value === undefined ? { count, sum } : { value }),
      }))
    const route = ROUTE
    expect(await rows('connection.active')).toEqual([{ route, value: 1 }])
    expect(await rows('message.process.active')).toEqual([{ route, value: 1 }])
    release()
    await telemetry.waitForSpan('process say')
    socket.close(1000)
    await event(socket, 'close')
    expect(await rows('connection.active')).toEqual([{ route, value: 0 }])
    expect(await rows('message.process.active')).toEqual([{ route, value: 0 }])
    expect(await rows('messages')).toEqual([
      { route, direction: 'receive', type: 'text', value: 1 },
      { route, direction: 'send', type: 'text', value: 1 },
    ])
    expect(await rows('io')).toEqual([
      { route, direction: 'receive', value: 14 },
      { route, direction: 'send', value: 14 },
    ])
    expect(await rows('message.size')).toEqual([
      { route, direction: 'send', count: 1, sum: 14 },
      { route, direction: 'receive', count: 1, sum: 14 },
    ])
    expect(await rows('message.process.duration')).toMatchObject([{ route, name: 'say', count: 1 }])
    expect(await rows('send.buffered')).toEqual([{ route, value: 0 }])
    expect(await rows('connect.duration')).toMatchObject([{ route, outcome: 'accepted', count: 1 }])
    expect(await rows('connection.duration')).toMatchObject([
      { route, category: 'normal', code: 1000, initiator: 'local', count: 1 },
    ])
  })

  it('calls its hooks', async () => {
    const { socket } = await open({
      route: () => 'by function',
      onMessage: (_, { direction, data, binary }) => ({ hooked: `${direction} ${String(data)} ${binary}` }),
      onClose: (_, { code, connectionId }) => ({ code, id: connectionId }),
    })
    socket.send('x')
    await telemetry.waitForSpan('process by function')
    socket.close(4000)
    await event(socket, 'close')
    expect(telemetry.span('send by function').attributes['hooked']).toBe('send x false')
    expect(telemetry.span('process by function').attributes['hooked']).toBe('receive x false')
    expect(telemetry.span('close by function').attributes).toMatchObject({ code: 4000, id: connectionOf(socket)?.id })
  })

  it('survives hooks that throw', async () => {
    const fails = (): never => {
      throw new Error('hook')
    }
    const { socket } = await open({ route: fails, messageName: fails, onMessage: fails, onClose: fails })
    socket.send('x')
    await telemetry.waitForSpan('process')
    socket.close()
    await event(socket, 'close')
    expect(telemetry.names()).toEqual(['close', 'connect', 'process', 'send'])
    // Each hook is reported once in the life of the process.
    expect(telemetry.diagnostics.splice(0).every((line) => line.includes('the hook threw'))).toBe(true)
  })

  it('puts attributes of the application on later spans, and runs work of its own outside of any', async () => {
    const { socket } = await open()
    const record = connectionOf(socket)
    record?.setAttribute('user.id', 'u-1').setAttributes({ plan: 'free' })
    trace.getTracer('application').startActiveSpan('timer', (span) => {
      record?.run(() => socket.send('x'))
      span.end()
    })
    await telemetry.waitForSpan(`process ${ROUTE}`)
    const send = telemetry.span(`send ${ROUTE}`)
    expect(send.parentSpanContext).toBeUndefined()
    expect(send.attributes).toMatchObject({ 'user.id': 'u-1', plan: 'free' })
    const connect = telemetry.span(`connect ${ROUTE}`).spanContext()
    expect(record?.traceContext()['traceparent']).toBe(`00-${connect.traceId}-${connect.spanId}-01`)
  })

  it('traces a socket once, and none that it is not to trace', async () => {
    const { socket, url } = await open()
    expect(traceWebSocket(socket)).toBe(socket)
    expect(telemetry.diagnostics.splice(0)).toHaveLength(1)
    const off = visit(url, { enabled: false })
    await event(off, 'open')
    expect(connectionOf(off)).toBeUndefined()
    expect(Object.hasOwn(off, 'send')).toBe(false)
    expect(() => traceWebSocket(off, { rout: '/x' } as never)).toThrow(OptionError)
    expect(() => traceWebSocket(off, { enabled: 'yes' } as never)).toThrow(OptionError)
    expect(() => jsonName('type')).toThrow(OptionError)
    expect(telemetry.names()).toEqual([`connect ${ROUTE}`])
  })
})
