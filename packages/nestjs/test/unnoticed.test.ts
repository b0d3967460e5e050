import type { Socket } from 'node:net'
import {
  type CanActivate,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  type Type,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common'
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets'
import { WsTraceInterceptor, WsTraceModule } from '@otel-ws/nestjs'
import { Queue, withProcessErrors } from '@otel-ws/testkit'
import { type Observable, tap } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { type App, platforms } from './app.ts'
import { createChatGateway, turn } from './chat-gateway.ts'
import { useFixture } from './fixture.ts'

const EVENTS = [
  'value',
  'promise',
  'observable',
  'iterable',
  'promised observable',
  'nothing',
  'empty',
  'denied',
  'guard throws',
  'pipe throws',
  'interceptor throws',
  'handler throws',
  'handler rejects',
  'throws no error',
  'stream throws',
  'made up',
]

const oneByOne = EVENTS.map((event) => [event])

describe.each(platforms)('an application on %s', (platform) => {
  const fixture = useFixture()
  const isWs = platform === 'platform-ws'

  const serve = (gateway: Type, isTraced: boolean): Promise<App> =>
    fixture.start({ platform, gateways: [gateway], metadata: { imports: isTraced ? [WsTraceModule.forRoot()] : [] } })

  /** Sends texts unchanged and returns the received frames. */
  async function open(app: App): Promise<{ socket: WebSocket; frames: Queue<string> }> {
    const path = isWs ? '/' : '/socket.io/?EIO=4&transport=websocket'
    const socket = new WebSocket(app.url.replace('http', 'ws') + path)
    const frames = new Queue<string>()
    socket.on('message', (data) => frames.push(String(data)))
    await new Promise((resolve) => socket.once('open', resolve))
    if (!isWs) {
      await frames.next()
      socket.send('40')
      await frames.next()
    }
    return { socket, frames }
  }

  const encode = (event: string, data: unknown): string =>
    isWs ? JSON.stringify({ event, data }) : `42${JSON.stringify([event, data])}`

  /** Sends texts in one write, so that they arrive in one read. */
  function sendTogether(socket: WebSocket, texts: readonly string[]): void {
    const { _socket: transport } = socket as unknown as { _socket: Socket }
    transport.cork()
    for (const text of texts) socket.send(text)
    transport.uncork()
  }

  /** Returns the frames that answer batches of events, in order. */
  async function framesOf(gateway: Type, isTraced: boolean, batches: readonly string[][]): Promise<string[]> {
    const { socket, frames } = await open(await serve(gateway, isTraced))
    const received: string[] = []
    for (const batch of batches) {
      sendTogether(
        socket,
        batch.map((event, n) => encode(event, n)),
      )
      // The answers to a batch arrive before this one.
      for (let turns = 0; turns < 50; turns++) await turn()
      socket.send(encode('value', 'that was all'))
      let frame = await frames.next()
      for (; !frame.includes('that was all'); frame = await frames.next()) received.push(frame)
    }
    socket.terminate()
    await fixture.settle()
    return received
  }

  it('sends the same frames in the same order with the module', async () => {
    const bare = await framesOf(createChatGateway(), false, [EVENTS])
    expect(await framesOf(createChatGateway(), true, [EVENTS])).toEqual(bare)
    expect(bare.length).toBe(19)
  })

  it.each(['the interceptor', 'both'])('sends the same frames for each message with %s', async (which) => {
    const bare = await framesOf(createChatGateway(), false, oneByOne)
    const gateway = createChatGateway()
    UseInterceptors(WsTraceInterceptor)(gateway)
    expect(await framesOf(gateway, which === 'both', oneByOne)).toEqual(bare)
  })

  it('sees the same arguments, listeners and properties', async () => {
    const look = async (isTraced: boolean): Promise<unknown[]> => {
      const seen: unknown[] = []
      const note = (what: string, context: ExecutionContext) => {
        const ws = context.switchToWs()
        seen.push([what, context.getArgs().length, ws.getPattern(), ws.getData()])
        seen.push([context.getClass().name, context.getHandler().name, context.getType()])
      }
      @Injectable()
      class Guard implements CanActivate {
        canActivate(context: ExecutionContext): boolean {
          note('guard', context)
          return true
        }
      }
      @Injectable()
      class Interceptor implements NestInterceptor {
        intercept(context: ExecutionContext, next: { handle(): Observable<unknown> }): Observable<unknown> {
          note('interceptor', context)
          return next.handle().pipe(tap((value) => seen.push(value)))
        }
      }
      @WebSocketGateway()
      @UseGuards(Guard)
      @UseInterceptors(Interceptor)
      class PlainGateway {
        readonly own = 1
        handleConnection(client: object, ...rest: unknown[]) {
          seen.push(['connected', rest.length, this.own, Object.keys(this)])
          seen.push(Object.keys(client).filter((key) => key !== 'id'))
        }
        handleDisconnect(_client: object, ...rest: unknown[]) {
          seen.push(['disconnected', rest.length, this.own])
        }
        @SubscribeMessage('look')
        onLook(@MessageBody() data: unknown, @ConnectedSocket() client: NodeJS.EventEmitter) {
          const names = client.eventNames().map(String).sort()
          seen.push(['handler', data, names.map((name) => [name, client.listenerCount(name)])])
          return { event: 'answer', data }
        }
      }
      const { socket, frames } = await open(await serve(PlainGateway, isTraced))
      socket.send(encode('look', { a: 1 }))
      seen.push(await frames.next())
      socket.close(1000)
      await new Promise((resolve) => socket.once('close', resolve))
      await fixture.settle()
      return seen
    }
    const bare = await look(false)
    expect(await look(true)).toEqual(bare)
    expect(bare.length).toBe(10)
  })

  it('fails in the same way when connection handlers fail', async () => {
    const fail = (isTraced: boolean, isAsync: boolean): Promise<unknown[]> =>
      withProcessErrors(async (errors) => {
        @WebSocketGateway()
        class FailingGateway {
          handleConnection() {
            const error = new RangeError('on purpose')
            if (!isAsync) throw error
            return turn().then(() => {
              throw error
            })
          }
          @SubscribeMessage('hello')
          onHello() {
            return { event: 'answer', data: 1 }
          }
        }
        const { socket, frames } = await open(await serve(FailingGateway, isTraced))
        const first = await errors.next()
        socket.send(encode('hello', 1))
        const told = [first, await frames.next(), errors.size]
        socket.terminate()
        await fixture.settle()
        return told
      })
    for (const isAsync of [false, true]) {
      const bare = await fail(false, isAsync)
      expect(await fail(true, isAsync)).toEqual(bare)
    }
  })
})
