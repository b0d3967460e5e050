import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { metrics, trace } from '@opentelemetry/api'
import { registerInstrumentations } from '@opentelemetry/instrumentation'
import { connectionOf, OptionError } from '@otel-ws/core'
import { WsInstrumentation } from '@otel-ws/instrumentation'
import { connect, Telemetry } from '@otel-ws/testkit'
import { traceWebSocketServer } from '@otel-ws/ws'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'

const METHODS = ['emit', 'send', 'close', 'terminate', 'ping'] as const

describe('WsInstrumentation', () => {
  let telemetry: Telemetry
  let instrumentations: WsInstrumentation[] = []
  let servers: WebSocketServer[] = []

  beforeEach(() => {
    telemetry = new Telemetry()
    telemetry.install()
  })

  afterEach(async () => {
    for (const wss of servers) {
      for (const socket of wss.clients) socket.terminate()
      await new Promise((resolve) => wss.close(resolve))
    }
    for (const instrumentation of instrumentations) instrumentation.disable()
    servers = []
    instrumentations = []
    await telemetry.uninstall()
    expect(telemetry.openSpans()).toEqual([])
  })

  function instrument(...args: ConstructorParameters<typeof WsInstrumentation>): WsInstrumentation {
    const instrumentation = new WsInstrumentation(...args)
    instrumentations.push(instrumentation)
    return instrumentation
  }

  async function serve(handler: (socket: WebSocket) => void = echo, path = '/echo'): Promise<WebSocketServer> {
    const wss = new WebSocketServer({ port: 0, host: '127.0.0.1', path })
    servers.push(wss)
    wss.on('connection', handler)
    await once(wss, 'listening')
    return wss
  }

  const urlOf = (wss: WebSocketServer) => `ws://127.0.0.1:${(wss.address() as AddressInfo).port}${wss.options.path}`

  async function talk(wss: WebSocketServer, text = 'hello'): Promise<void> {
    const client = await connect(urlOf(wss))
    client.send(text)
    expect(await client.next()).toBe(text)
    await client.close(1000)
  }

  it('traces servers created before and after it, under their paths', async () => {
    const before = await serve(echo, '/before')
    instrument()
    const after = await serve(echo, '/after')
    await talk(before)
    await telemetry.waitForSpan('close /before')
    await talk(after)
    await telemetry.waitForSpan('close /after')
    const each = (path: string) => ['GET', 'close', 'open', 'process', 'send'].map((name) => `${name} ${path}`)
    expect(telemetry.names()).toEqual([...each('/after'), ...each('/before')].sort())
    expect(new Set(telemetry.spans().map((span) => span.instrumentationScope.name))).toEqual(new Set(['@otel-ws/ws']))
  })

  it('wraps nothing on servers, and restores the methods of classes and sockets', async () => {
    const { prototype } = WebSocketServer
    const classBefore = Reflect.ownKeys(prototype).map((key) => [key, Object.getOwnPropertyDescriptor(prototype, key)])
    const instrumentation = instrument()
    expect(Object.hasOwn(prototype, 'emit')).toBe(true)
    const wss = await serve()
    const client = await connect(urlOf(wss))
    client.send('a')
    await client.next()
    const [socket] = wss.clients
    if (socket === undefined) throw new Error('not connected')
    expect(METHODS.filter((method) => Object.hasOwn(socket, method))).toEqual(METHODS)
    expect((await telemetry.collect('websocket.server.connection.active')).map(({ value }) => value)).toEqual([1])

    instrumentation.disable()
    expect(Reflect.ownKeys(prototype).map((key) => [key, Object.getOwnPropertyDescriptor(prototype, key)])).toEqual(
      classBefore,
    )
    expect(METHODS.filter((method) => Object.hasOwn(socket, method))).toEqual([])
    expect(connectionOf(socket)).toBeUndefined()
    expect((await telemetry.collect('websocket.server.connection.active')).map(({ value }) => value)).toEqual([0])

    const told = telemetry.counts()
    client.send('b')
    expect(await client.next()).toBe('b')
    await client.close(1000)
    await talk(wss)
    expect(telemetry.counts()).toEqual(told)
    expect(told.started).toBe(told.ended)
  })

  it('is enabled again', async () => {
    const instrumentation = instrument({ enabled: false })
    const wss = await serve()
    await talk(wss)
    expect(telemetry.names()).toEqual([])
    instrumentation.enable()
    instrumentation.disable()
    instrumentation.enable()
    await talk(wss)
    await telemetry.waitForSpan('close /echo')
    expect(telemetry.spans('process /echo')).toHaveLength(1)
  })

  it('keeps methods that the application set on sockets, before and after it was enabled', async () => {
    const sent: string[] = []
    let own: WebSocket['send'] | undefined
    class Chatty extends WebSocketServer {
      override handleUpgrade(...[request, socket, head, accept]: Parameters<WebSocketServer['handleUpgrade']>): void {
        super.handleUpgrade(request, socket, head, (webSocket, accepted) => {
          const { send } = webSocket
          own = ((data: string, ...rest: []) => {
            sent.push(data)
            Reflect.apply(send, webSocket, [data, ...rest])
          }) as WebSocket['send']
          webSocket.send = own
          accept(webSocket, accepted)
        })
      }
    }
    const instrumentation = instrument({ route: '/chatty' })
    const http = createServer()
    const wss = new Chatty({ server: http })
    servers.push(wss)
    wss.on('connection', (socket) => socket.on('message', (data) => socket.send(String(data))))
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    const client = await connect(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`)
    client.send('a')
    expect(await client.next()).toBe('a')
    const [socket] = wss.clients
    instrumentation.disable()
    expect(socket?.send).toBe(own)
    client.send('b')
    expect(await client.next()).toBe('b')
    expect(sent).toEqual(['a', 'b'])
    expect(telemetry.spans('send /chatty')).toHaveLength(1)
    await client.close()
    http.close()
  })

  it('records once what the application traces with an adapter, with the options of that adapter', async () => {
    instrument({ route: 'ambient' })
    const wss = await serve()
    const traced = traceWebSocketServer(wss, { route: 'by hand' })
    await talk(wss)
    await telemetry.waitForSpan('close by hand')
    expect(telemetry.names()).toEqual(['GET', 'close', 'open', 'process', 'send'].map((name) => `${name} by hand`))
    traced.restore()
    await talk(wss)
    await telemetry.waitForSpan('close ambient')
    expect(telemetry.spans('process ambient')).toHaveLength(1)
  })

  it('records what an async handler does on a server that the application traces', async () => {
    instrument()
    const wss = await serve(async (socket) => {
      socket.on('message', async (data) => {
        await new Promise(setImmediate)
        socket.send(String(data))
      })
      await new Promise(setImmediate)
      trace.getTracer('app').startSpan('in the handler').end()
    })
    traceWebSocketServer(wss, { route: 'by hand' })
    await talk(wss)
    await telemetry.waitForSpan('close by hand')
    const ended = telemetry.spans().map((span) => span.name)
    expect(ended.indexOf('in the handler')).toBeLessThan(ended.indexOf('open by hand'))
  })

  it('uses the last of several instances in one process', async () => {
    const first = instrument({ route: 'first' })
    const second = instrument({ route: 'second' })
    const wss = await serve()
    await talk(wss)
    await telemetry.waitForSpan('close second')
    second.disable()
    await talk(wss)
    await telemetry.waitForSpan('close first')
    first.disable()
    await talk(wss)
    expect(telemetry.spans('process first')).toHaveLength(1)
    expect(telemetry.spans('process second')).toHaveLength(1)
    expect(telemetry.spans()).toHaveLength(10)
  })

  it('traces several copies of ws in one process', async () => {
    const require = createRequire(import.meta.url)
    instrument()
    const Oldest = require('ws-oldest') as { Server: typeof WebSocketServer }
    const current = await serve(echo, '/current')
    const oldest = new Oldest.Server({ port: 0, host: '127.0.0.1', path: '/oldest' })
    servers.push(oldest)
    oldest.on('connection', echo)
    await once(oldest, 'listening')
    await talk(oldest)
    await telemetry.waitForSpan('close /oldest')
    await talk(current)
    await telemetry.waitForSpan('close /current')
    expect(telemetry.spans('process /oldest')).toHaveLength(1)
    expect(telemetry.spans('process /current')).toHaveLength(1)
  })

  it('reports to the providers it is registered with', async () => {
    const other = new Telemetry()
    const instrumentation = instrument({ route: '/registered' })
    const unregister = registerInstrumentations({
      instrumentations: [instrumentation],
      tracerProvider: other.tracerProvider,
      meterProvider: other.meterProvider,
    })
    const wss = await serve()
    await talk(wss)
    await other.waitForSpan('close /registered')
    expect(telemetry.names()).toEqual([])
    expect(await telemetry.collect('websocket.server.connection.duration')).toEqual([])
    expect((await other.collect('websocket.server.connection.duration')).map(({ count }) => count)).toEqual([1])
    unregister()
    expect(instrumentation.isEnabled()).toBe(false)
  })

  it('uses an SDK that is registered after it', async () => {
    trace.disable()
    metrics.disable()
    const instrumentation = instrument()
    registerInstrumentations({ instrumentations: [instrumentation] })
    trace.setGlobalTracerProvider(telemetry.tracerProvider)
    metrics.setGlobalMeterProvider(telemetry.meterProvider)
    const wss = await serve()
    await talk(wss)
    await telemetry.waitForSpan('close /echo')
    expect((await telemetry.collect('websocket.server.connection.duration')).map(({ count }) => count)).toEqual([1])
  })

  it('uses a new configuration for later connections', async () => {
    const instrumentation = instrument({ route: 'old' })
    const wss = await serve()
    const client = await connect(urlOf(wss))
    instrumentation.setConfig({ route: 'new' })
    client.send('a')
    await client.next()
    await client.close()
    await telemetry.waitForSpan('close old')
    await talk(wss)
    await telemetry.waitForSpan('close new')
    expect(telemetry.spans('process old')).toHaveLength(1)
    expect(telemetry.spans('process new')).toHaveLength(1)
  })

  it('ends open spans when it is disabled', async () => {
    const instrumentation = instrument({ traces: 'connection' })
    const wss = await serve()
    const client = await connect(urlOf(wss))
    instrumentation.disable()
    expect(telemetry.span('connection /echo').attributes['websocket.span.ended_by']).toBe('shutdown')
    await client.close()
  })

  it('throws for wrong options when it is created and when it is configured', () => {
    expect(() => new WsInstrumentation({ maxMessageNames: 0 })).toThrow(OptionError)
    const instrumentation = instrument()
    expect(() => instrumentation.setConfig({ traces: 'none' as never })).toThrow(
      "must be one of 'linked', 'connection'",
    )
  })

  it('leaves Engine.IO to its adapter', async () => {
    instrument()
    const http: Server = createServer()
    const wss = new WebSocketServer({ noServer: true })
    servers.push(wss)
    wss.on('connection', echo)
    http.on('upgrade', (request, socket, head) => {
      Object.assign(request, { _query: Object.fromEntries(new URL(request.url ?? '', 'http://a').searchParams) })
      wss.handleUpgrade(request, socket, head, (webSocket) => wss.emit('connection', webSocket, request))
    })
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    const client = await connect(
      `ws://127.0.0.1:${(http.address() as AddressInfo).port}/engine.io/?EIO=4&transport=websocket`,
    )
    client.send('a')
    await client.next()
    await client.close()
    http.close()
    expect(telemetry.names()).toEqual([])
  })
})

function echo(socket: WebSocket): void {
  socket.on('message', (data) => socket.send(String(data)))
}
