import { once } from 'node:events'
import { createServer } from 'node:net'
import {
  type INestApplication,
  Inject,
  Injectable,
  Module,
  Scope,
  type Type,
  type WebSocketAdapter,
} from '@nestjs/common'
import { IoAdapter } from '@nestjs/platform-socket.io'
import { WsAdapter } from '@nestjs/platform-ws'
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets'
import { context, trace } from '@opentelemetry/api'
import { connectionOf, WsTraceModule } from '@otel-ws/nestjs'
import { describe, expect, it } from 'vitest'
import { type App, type AppOptions, isNest11, platforms } from './app.ts'
import { createChatGateway, turn, work } from './chat-gateway.ts'
import { useFixture } from './fixture.ts'

type IoOptions = Parameters<IoAdapter['createIOServer']>[1]
type Client = { send?(data: string): void; emit(event: string, data: unknown): void }

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

describe.each(platforms)('WsTraceModule on %s', (platform) => {
  const fixture = useFixture()
  const isWs = platform === 'platform-ws'

  const serve = (gateways: Type[], options: Partial<AppOptions> = {}): Promise<App> =>
    fixture.start({ platform, gateways, metadata: { imports: [WsTraceModule.forRoot()] }, ...options })

  it('records the connection handler and the disconnect handler, until they settle', async () => {
    const order: string[] = []
    @WebSocketGateway()
    class ChatGateway {
      async handleConnection(client: Client) {
        order.push('connecting')
        await turn()
        work('welcoming')
        connectionOf(client)?.setAttribute('user.id', 'ada')
        if (isWs) client.send?.('{"event":"welcome"}')
        else client.emit('welcome', 1)
        order.push('connected')
      }
      async handleDisconnect() {
        await turn()
        work('leaving')
        order.push('disconnected')
      }
    }
    const client = await fixture.connect(await serve([ChatGateway]))
    expect((await client.next())[0]).toBe('welcome')
    await client.close()
    const open = await fixture.telemetry.waitForSpan('open /')
    const disconnect = await fixture.telemetry.waitForSpan('disconnect /')
    const close = await fixture.telemetry.waitForSpan('close /')
    await fixture.settle()
    expect(order).toEqual(['connecting', 'connected', 'disconnected'])
    const handshake = fixture.telemetry.span(isWs ? 'GET /' : 'CONNECT /')
    expect(fixture.tree(handshake).slice(1)).toEqual([
      '  open / in ChatGateway.handleConnection',
      '    welcoming',
      '    send welcome',
    ])
    expect(open.attributes['user.id']).toBe('ada')
    expect(fixture.tree(disconnect)).toEqual([
      'disconnect / after handshake in ChatGateway.handleDisconnect',
      '  leaving',
    ])
    expect(disconnect.attributes).toMatchObject({
      'user.id': 'ada',
      'websocket.connection.id': close.attributes['websocket.connection.id'],
    })
  })

  it('records one span for a message that several gateways of a server handle', async () => {
    @WebSocketGateway()
    class FirstGateway {
      @SubscribeMessage('both')
      async onBoth() {
        await turn()
        work('first')
      }
      @SubscribeMessage('one')
      onOne() {
        return { event: 'answer', data: 'one' }
      }
    }
    @WebSocketGateway()
    class SecondGateway {
      @SubscribeMessage('both')
      async onBoth() {
        await turn()
        await turn()
        work('second')
        return { event: 'answer', data: 'both' }
      }
      @SubscribeMessage('other')
      onOther() {
        return { event: 'answer', data: 'other' }
      }
    }
    const client = await fixture.connect(await serve([FirstGateway, SecondGateway]))
    for (const event of ['both', 'one', 'other']) {
      client.emit(event)
      expect(await client.next()).toEqual(['answer', event])
    }
    await fixture.settle()
    const { telemetry } = fixture
    expect(fixture.tree(telemetry.span('process both'))).toEqual([
      // The first to be bound, whose choice is Nest's.
      expect.stringMatching(/^process both after handshake in (First|Second)Gateway.onBoth$/),
      '  first',
      '  second',
      '  send answer',
    ])
    expect(telemetry.span('process one').attributes['code.function.name']).toBe('FirstGateway.onOne')
    expect(telemetry.span('process other').attributes['code.function.name']).toBe('SecondGateway.onOther')
  })

  it('traces gateways with their own paths, namespaces and ports', async () => {
    const port = await freePort()
    const place = (name: string) => (isWs ? { path: `/${name}` } : { namespace: `/${name}` })
    const gateways = ['chat', 'news'].map((name) => {
      const gateway = createChatGateway(place(name))
      Object.defineProperty(gateway, 'name', { value: `${name}Gateway` })
      return gateway
    })
    @WebSocketGateway(port, { ...place('far'), host: '127.0.0.1' } as object)
    class FarGateway {
      @SubscribeMessage('value')
      onValue(@MessageBody() data: unknown) {
        return { event: 'answer', data }
      }
    }
    const app = await serve([...gateways, FarGateway])
    const far = { ...app, url: app.url.replace(String(app.port), String(port)) }
    for (const [at, path] of [
      [app, '/chat'],
      [app, '/news'],
      [far, '/far'],
    ] as const) {
      const client = await fixture.connect(at, path)
      client.emit('value', path)
      expect(await client.next()).toEqual(['answer', path])
    }
    await fixture.settle()
    const spans = fixture.telemetry.spans('process value')
    expect(spans.map((span) => [span.attributes['websocket.route'], span.attributes['code.function.name']])).toEqual([
      ['/chat', 'chatGateway.value'],
      ['/news', 'newsGateway.value'],
      ['/far', 'FarGateway.onValue'],
    ])
    const handshake = isWs ? 'GET' : 'CONNECT'
    expect(
      fixture.telemetry.names().filter((name) => name.startsWith(handshake) && !name.endsWith('socket.io')),
    ).toEqual(['/chat', '/far', '/news'].map((path) => `${handshake} ${path}`))
  })

  it('traces the servers of a custom adapter', async () => {
    class CustomWsAdapter extends WsAdapter {
      override create(port: number, options?: object) {
        return super.create(port, { ...options, maxPayload: 1000 } as never)
      }
    }
    class CustomIoAdapter extends IoAdapter {
      override createIOServer(port: number, options?: IoOptions) {
        return super.createIOServer(port, { ...options, maxHttpBufferSize: 1000 } as IoOptions)
      }
    }
    const adapter = (nest: INestApplication) =>
      (isWs ? new CustomWsAdapter(nest) : new CustomIoAdapter(nest)) as WebSocketAdapter
    const client = await fixture.connect(await serve([createChatGateway()], { adapter }))
    client.emit('value', 1)
    expect(await client.next()).toEqual(['answer', 1])
    await fixture.settle()
    expect(fixture.tree(fixture.telemetry.span('process value'))).toEqual([
      'process value after handshake in ChatGateway.value',
      '  piping',
      '  handling',
      '  send answer',
    ])
  })

  it.skipIf(isNest11)('traces gateways that are made per client', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Session {
      readonly id = Math.random()
    }
    @WebSocketGateway()
    class SessionGateway {
      readonly session: Session
      constructor(@Inject(Session) session: Session) {
        this.session = session
      }
      async handleConnection() {
        await turn()
        work('opening')
      }
      @SubscribeMessage('who')
      async onWho() {
        await turn()
        work('handling')
        return { event: 'answer', data: this.session.id }
      }
      async handleDisconnect() {
        await turn()
        work('closing')
      }
    }
    const app = await serve([SessionGateway], {
      metadata: { imports: [WsTraceModule.forRoot()], providers: [Session] },
    })
    const client = await fixture.connect(app)
    client.emit('who')
    const [, id] = await client.next()
    expect(id).toBeTypeOf('number')
    client.emit('who')
    expect(await client.next()).toEqual(['answer', id])
    await client.close()
    const disconnect = await fixture.telemetry.waitForSpan('disconnect /')
    expect(fixture.tree(disconnect)).toEqual([
      'disconnect / after handshake in SessionGateway.handleDisconnect',
      '  closing',
    ])
    expect(fixture.tree(fixture.telemetry.span('open /'))).toEqual([
      'open / in SessionGateway.handleConnection',
      '  opening',
    ])
    for (const span of fixture.telemetry.spans('process who')) {
      expect(fixture.tree(span)).toEqual([
        'process who after handshake in SessionGateway.onWho',
        '  handling',
        '  send answer',
      ])
    }
    expect(fixture.telemetry.spans('process who')).toHaveLength(2)
  })

  it('takes its options from other providers', async () => {
    const IGNORED = Symbol('ignored')
    @Module({ providers: [{ provide: IGNORED, useValue: ['value'] }], exports: [IGNORED] })
    class Settings {}
    const imports = [
      WsTraceModule.forRootAsync({
        imports: [Settings],
        inject: [IGNORED],
        useFactory: async (messages: string[]) => ({ ignore: { messages } }),
      }),
    ]
    const client = await fixture.connect(await serve([createChatGateway()], { metadata: { imports } }))
    for (const event of ['value', 'promise']) {
      client.emit(event, event)
      expect(await client.next()).toEqual(['answer', event])
    }
    await fixture.settle()
    expect(fixture.telemetry.names().filter((name) => name.startsWith('process'))).toEqual(['process promise'])
  })

  it.each(['alone', 'without anything that keeps contexts'])('measures with metrics %s', async (which) => {
    trace.disable()
    if (which !== 'alone') context.disable()
    const client = await fixture.connect(await serve([createChatGateway()]))
    for (const [event, answers] of [
      ['nothing', 0],
      ['promise', 1],
      ['observable', 3],
      ['stream throws', 2],
    ] as const) {
      client.emit(event, 1)
      for (let n = 0; n < answers; n++) await client.next()
    }
    await client.close()
    await fixture.settle()
    const { telemetry } = fixture
    expect(telemetry.names()).toEqual([])
    const told = async (name: string) =>
      (await telemetry.collect(`websocket.server.${name}`)).map(({ attributes, count }) => [
        attributes['websocket.message.name'],
        attributes['error.type'],
        count,
      ])
    const streams = [
      ['observable', undefined, 1],
      ['stream throws', 'SyntaxError', 1],
    ]
    expect((await told('message.process.duration')).sort()).toEqual([
      ['nothing', undefined, 1],
      ['observable', undefined, 1],
      ['promise', undefined, 1],
      ['stream throws', 'SyntaxError', 1],
    ])
    expect((await told('stream.duration')).sort()).toEqual(streams)
    const active = await telemetry.collect('websocket.server.message.process.active')
    expect(active.reduce((sum, row) => sum + (row.value ?? 0), 0)).toBe(0)
  })

  it('throws for wrong options when the application is created', async () => {
    const imports = [WsTraceModule.forRoot({ traces: 'all' as never })]
    await expect(serve([createChatGateway()], { metadata: { imports } })).rejects.toThrow('option traces')
  })

  it('ends and exports open spans when the application closes', async () => {
    const app = await serve([createChatGateway()])
    const client = await fixture.connect(app)
    client.emit('never')
    expect(await client.next()).toEqual(['answer', 'waiting'])
    await app.nest.close()
    expect(fixture.telemetry.openSpans()).toEqual([])
    expect(fixture.telemetry.names()).toContain('close /')
    expect(fixture.tree(fixture.telemetry.span('process never'))).toEqual([
      'process never after handshake in ChatGateway.never 0 items cancelled',
      '  send answer',
    ])
  })

  it('ends the span of an endless subscription at its maximum age', async () => {
    const imports = [WsTraceModule.forRoot({ maxConnectionSpanAge: 50 })]
    const client = await fixture.connect(await serve([createChatGateway()], { metadata: { imports } }))
    client.emit('subscribe')
    expect(await client.next()).toEqual(['answer', 'subscribed'])
    const span = await fixture.telemetry.waitForSpan('process subscribe')
    expect(span.attributes).toMatchObject({ 'websocket.span.ended_by': 'age', 'websocket.stream.items': 1 })
    const rows = await fixture.telemetry.collect('websocket.server.stream.active')
    expect(rows.reduce((sum, row) => sum + (row.value ?? 0), 0)).toBe(1)
  })

  it("records a connection as one trace with traces: 'connection'", async () => {
    const imports = [WsTraceModule.forRoot({ traces: 'connection' })]
    const client = await fixture.connect(await serve([createChatGateway()], { metadata: { imports } }))
    client.emit('denied')
    await client.next()
    await client.close()
    const connection = await fixture.telemetry.waitForSpan('connection /')
    expect(fixture.tree(connection)).toEqual([
      'connection / SERVER',
      '  process denied in ChatGateway.denied refused: WsException',
      '    send exception',
    ])
  })
})
