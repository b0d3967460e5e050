import { type Type, UseInterceptors } from '@nestjs/common'
import { SpanKind } from '@opentelemetry/api'
import { connectionOf, WsTraceInterceptor } from '@otel-ws/nestjs'
import { describe, expect, it } from 'vitest'
import { type App, isNest11, platforms } from './app.ts'
import { createChatGateway, shared } from './chat-gateway.ts'
import { useFixture } from './fixture.ts'

describe.each(platforms)('WsTraceInterceptor alone on %s', (platform) => {
  const fixture = useFixture()

  function traced(decorate: (gateway: Type) => void = UseInterceptors(WsTraceInterceptor)): Type {
    const gateway = createChatGateway()
    decorate(gateway)
    return gateway
  }

  const serve = (gateway = traced()): Promise<App> => fixture.start({ platform, gateways: [gateway] })

  /** Returns the spans of a message, and checks its answers. */
  async function exchange(event: string, answers: number): Promise<{ tree: string[]; answers: unknown[] }> {
    const client = await fixture.connect(await serve())
    client.emit(event, 1)
    const received: unknown[] = []
    for (let n = 0; n < answers; n++) received.push(await client.next())
    const span = await fixture.telemetry.waitForSpan(`process ${event}`)
    await fixture.settle()
    expect(fixture.telemetry.names().filter((name) => /^(process|send|GET|open|close)/.test(name))).toEqual([span.name])
    return { tree: fixture.tree(span), answers: received }
  }

  it('describes a message with the attributes that an interceptor can read', async () => {
    const client = await fixture.connect(await serve())
    client.emit('value', 1)
    const span = await fixture.telemetry.waitForSpan('process value')
    expect(span.kind).toBe(SpanKind.INTERNAL)
    expect(span.links).toEqual([])
    expect(span.attributes).toEqual({
      'websocket.connection.id': expect.stringMatching(/^[0-9a-f]{16}$/),
      'websocket.message.name': 'value',
      'code.function.name': 'ChatGateway.value',
      ...(platform === 'platform-ws' ? {} : { 'websocket.route': '/', 'websocket.namespace': '/' }),
    })
    client.emit('promise', 1)
    const next = await fixture.telemetry.waitForSpan('process promise')
    expect(next.attributes['websocket.connection.id']).toBe(span.attributes['websocket.connection.id'])
    const rows = await fixture.telemetry.collect('websocket.server.message.process.duration')
    expect(rows.map((row) => [row.attributes['websocket.message.name'], row.count])).toEqual([
      ['value', 1],
      ['promise', 1],
    ])
    expect((await fixture.telemetry.collect('websocket.server.messages')).length).toBe(0)
  })

  it.each([
    ['value', 1, ['process value in ChatGateway.value', '  piping', '  handling']],
    ['promise', 1, ['process promise in ChatGateway.promise', '  handling']],
    ['nothing', 0, ['process nothing in ChatGateway.nothing', '  handling']],
    [
      'observable',
      3,
      ['process observable in ChatGateway.observable 3 items completed', '  operating', '  operating', '  operating'],
    ],
    ['promised observable', 2, ['process promised observable in ChatGateway.promisedObservable 2 items completed']],
    [
      'iterable',
      3,
      ['process iterable in ChatGateway.iterable 3 items completed', '  generating', '  generating', '  generating'],
    ],
    [
      'iterable throws',
      2,
      ['process iterable throws in ChatGateway.iterableThrows 1 items failed ! SyntaxError: half a word'],
    ],
    ['empty', 0, ['process empty in ChatGateway.empty 0 items completed']],
    ['explicit stream', 2, ['process explicit stream in ChatGateway.explicitStream 2 items completed']],
    ['pipe throws', 1, ['process pipe throws in ChatGateway.pipeThrows ! RangeError: out of range', '  piping']],
    [
      'interceptor throws',
      1,
      [
        'process interceptor throws in ChatGateway.interceptorThrows ! TypeError: not this type',
        '  intercepting',
        '  handling',
      ],
    ],
    ['handler throws', 1, ['process handler throws in ChatGateway.handlerThrows refused: WsException']],
    ['handler rejects', 1, ['process handler rejects in ChatGateway.handlerRejects refused: ROOM_FULL']],
    ['throws no error', 1, ['process throws no error in ChatGateway.throwsNoError ! string: a text']],
    [
      'stream throws',
      2,
      ['process stream throws in ChatGateway.streamThrows 1 items failed ! SyntaxError: half a word'],
    ],
  ])('records %s', async (event, answers, tree) => {
    expect((await exchange(event, answers)).tree).toEqual(tree)
  })

  it.each(['denied', 'guard throws'])(
    'records nothing of what is %s, because guards run before interceptors',
    async (event) => {
      const client = await fixture.connect(await serve())
      client.emit(event)
      expect((await client.next())[0]).toBe('exception')
      client.emit('nothing')
      await fixture.telemetry.waitForSpan('process nothing')
      expect(fixture.telemetry.names().filter((name) => name.startsWith('process'))).toEqual(['process nothing'])
    },
  )

  it('passes answers on unchanged', async () => {
    expect((await exchange('observable', 3)).answers).toEqual([
      ['answer', 'a'],
      ['answer', 'b'],
      ['answer', 'c'],
    ])
  })

  it('measures an async iterable that an earlier interceptor sends', async () => {
    const gateway = traced(() => {})
    const decorate = (name: string) => {
      const descriptor = Object.getOwnPropertyDescriptor(gateway.prototype, name) as PropertyDescriptor
      // The last interceptor is the innermost.
      UseInterceptors(WsTraceInterceptor)(gateway.prototype, name, descriptor)
    }
    decorate('iterable')
    decorate('iterableThrows')
    const client = await fixture.connect(await serve(gateway))
    client.emit('iterable')
    for (const data of ['a', 'b', 'c']) expect(await client.next()).toEqual(['answer', data])
    const span = await fixture.telemetry.waitForSpan('process iterable')
    expect(fixture.tree(span)).toEqual([
      'process iterable in ChatGateway.iterable 3 items completed',
      '  generating',
      '  generating',
      '  generating',
    ])
    client.emit('iterable throws')
    expect(await client.next()).toEqual(['answer', 'a'])
    const failed = await fixture.telemetry.waitForSpan('process iterable throws')
    expect(fixture.tree(failed)).toEqual([
      'process iterable throws in ChatGateway.iterableThrows 1 items failed ! SyntaxError: half a word',
    ])
  })

  it('records a stream as cancelled, without an error, when its client disconnects', async () => {
    const app = await serve()
    const client = await fixture.connect(app)
    client.emit('subscribe')
    expect(await client.next()).toEqual(['answer', 'subscribed'])
    shared.next(1)
    expect(await client.next()).toEqual(['answer', 1])
    const rows = await fixture.telemetry.collect('websocket.server.stream.active')
    expect(rows.map((row) => row.value)).toEqual([1])
    await client.close()
    const span = await fixture.telemetry.waitForSpan('process subscribe')
    expect(fixture.tree(span)).toEqual(['process subscribe in ChatGateway.subscribe 2 items cancelled'])
    expect((await fixture.telemetry.collect('websocket.server.stream.active')).map((row) => row.value)).toEqual([0])
    const [duration] = await fixture.telemetry.collect('websocket.server.stream.duration')
    expect(duration?.attributes).toMatchObject({
      'websocket.message.name': 'subscribe',
      'websocket.stream.outcome': 'cancelled',
    })
    expect(shared.observed).toBe(false)
  })

  describe('works', () => {
    async function names(app: App): Promise<string[]> {
      const client = await fixture.connect(app)
      client.emit('value')
      expect((await client.next())[0]).toBe('answer')
      client.emit('promise')
      expect((await client.next())[0]).toBe('answer')
      await fixture.settle()
      return fixture.telemetry.names().filter((name) => name.startsWith('process'))
    }

    it('on a handler', async () => {
      const gateway = traced((target) => {
        const descriptor = Object.getOwnPropertyDescriptor(target.prototype, 'promise') as PropertyDescriptor
        UseInterceptors(WsTraceInterceptor)(target.prototype, 'promise', descriptor)
      })
      expect(await names(await serve(gateway))).toEqual(['process promise'])
    })

    it('as an instance with options', async () => {
      const gateway = traced(UseInterceptors(new WsTraceInterceptor({ ignore: { messages: ['value'] } })))
      expect(await names(await serve(gateway))).toEqual(['process promise'])
    })

    it('globally', async () => {
      const app = await fixture.start({
        platform,
        gateways: [traced(() => {})],
        configure: (nest) => nest.useGlobalInterceptors(new WsTraceInterceptor()),
      })
      // Nest 11 does not call global interceptors for gateways.
      expect(await names(app)).toEqual(isNest11 ? [] : ['process promise', 'process value'])
    })

    it('not at all when it is disabled', async () => {
      const gateway = traced(UseInterceptors(new WsTraceInterceptor({ enabled: false })))
      expect(await names(await serve(gateway))).toEqual([])
    })
  })

  it('throws for wrong options at set-up', () => {
    expect(() => new WsTraceInterceptor({ traces: 'all' as never })).toThrow('option traces')
  })

  it('stores the connection context of a client', async () => {
    const seen: unknown[] = []
    const gateway = traced()
    gateway.prototype.handleConnection = (client: object) => {
      seen.push(client)
    }
    const client = await fixture.connect(await serve(gateway))
    client.emit('value')
    const span = await fixture.telemetry.waitForSpan('process value')
    expect(connectionOf(seen[0] as object)?.id).toBe(span.attributes['websocket.connection.id'])
  })
})
