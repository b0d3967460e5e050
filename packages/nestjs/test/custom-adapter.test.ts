import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { createInterface, type Interface } from 'node:readline'
import { type Type, UseInterceptors, type WebSocketAdapter } from '@nestjs/common'
import { type MessageMappingProperties, SubscribeMessage, WebSocketGateway, WsException } from '@nestjs/websockets'
import { WsTraceInterceptor, WsTraceModule } from '@otel-ws/nestjs'
import { EMPTY, filter, fromEvent, mergeMap, type Observable, takeUntil } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { turn, work } from './chat-gateway.ts'
import { useFixture } from './fixture.ts'

interface Answer {
  readonly event: string
  readonly data: unknown
}

/** Serves gateways over lines of JSON: neither `ws` nor Socket.IO. */
class LineAdapter implements WebSocketAdapter {
  readonly server: Server = createServer()

  create(): Server {
    return this.server.listen(0, '127.0.0.1')
  }

  bindClientConnect(server: Server, callback: (client: Socket) => void): void {
    server.on('connection', callback)
  }

  bindMessageHandlers(
    client: Socket,
    handlers: MessageMappingProperties[],
    transform: (data: unknown) => Observable<Answer | undefined>,
  ): void {
    const lines: Interface = createInterface(client)
    fromEvent(lines, 'line')
      .pipe(
        mergeMap((line) => {
          const { event, data } = JSON.parse(String(line)) as Answer
          const handler = handlers.find(({ message }) => message === event)
          return handler === undefined ? EMPTY : transform(handler.callback(data))
        }),
        filter((answer) => answer !== undefined),
        takeUntil(fromEvent(client, 'close')),
      )
      .subscribe((answer) => client.write(`${JSON.stringify(answer)}\n`))
  }

  async close(server: Server): Promise<void> {
    server.close()
  }

  async dispose(): Promise<void> {}
}

@WebSocketGateway()
class LineGateway {
  @SubscribeMessage('later')
  async onLater() {
    await turn()
    work('handling')
    return { event: 'answer', data: 1 }
  }

  @SubscribeMessage('refused')
  onRefused() {
    throw new WsException({ code: 'REFUSED', message: 'not now' })
  }
}

@WebSocketGateway()
@UseInterceptors(WsTraceInterceptor)
class TwiceTracedGateway extends LineGateway {}

describe('WsTraceModule on an adapter for another kind of server', () => {
  const fixture = useFixture()

  it.each([
    ['alone', LineGateway],
    ['and WsTraceInterceptor', TwiceTracedGateway],
  ])('%s records the messages that its handlers receive', async (_, gateway: Type) => {
    const adapter = new LineAdapter()
    await fixture.start({
      platform: 'platform-ws',
      gateways: [gateway],
      adapter: () => adapter,
      metadata: { imports: [WsTraceModule.forRoot({ route: '/lines' })] },
    })
    const client = connect((adapter.server.address() as AddressInfo).port, '127.0.0.1')
    client.write('{"event":"later"}\n')
    const [answer] = (await once(client, 'data')) as [Buffer]
    expect(String(answer)).toBe('{"event":"answer","data":1}\n')
    client.write('{"event":"unknown"}\n{"event":"refused"}\n')
    const refused = await fixture.telemetry.waitForSpan('process refused')
    client.destroy()
    await fixture.settle()
    const name = gateway.name
    const later = fixture.telemetry.span('process later')
    expect(fixture.tree(later)).toEqual([`process later in ${name}.onLater`, '  handling'])
    expect(fixture.tree(refused)).toEqual([`process refused in ${name}.onRefused refused: REFUSED`])
    expect(later.attributes).toMatchObject({
      'websocket.connection.id': refused.attributes['websocket.connection.id'],
      'websocket.route': '/lines',
    })
    expect(fixture.telemetry.names()).toEqual(['handling', 'process later', 'process refused'])
  })
})

describe('a client that leaves', () => {
  const fixture = useFixture()

  it.each(['platform-ws', 'platform-socket.io'] as const)(
    'ends the span of a handler with its connection on %s',
    async (platform) => {
      let release: () => void = () => {}
      const released = new Promise<void>((resolve) => {
        release = resolve
      })
      @WebSocketGateway()
      class SlowGateway {
        @SubscribeMessage('slow')
        async onSlow() {
          work('begun')
          await released
          work('finished')
          throw new RangeError('nobody is told')
        }
      }
      const app = await fixture.start({
        platform,
        gateways: [SlowGateway],
        metadata: { imports: [WsTraceModule.forRoot()] },
      })
      const client = await fixture.connect(app)
      client.emit('slow')
      await fixture.telemetry.waitForSpan('begun')
      await client.close()
      await fixture.telemetry.waitForSpan('close /')
      const span = await fixture.telemetry.waitForSpan('process slow')
      expect(span.attributes['websocket.span.ended_by']).toBe('disconnect')
      release()
      const finished = await fixture.telemetry.waitForSpan('finished')
      expect(finished.spanContext().traceId).toBe(span.spanContext().traceId)
      expect(fixture.telemetry.spans('process slow')).toEqual([span])
    },
  )
})
