import { MessageBody, SubscribeMessage, WebSocketGateway, WsException } from '@nestjs/websockets'
import { trace } from '@opentelemetry/api'
import { WsTraceModule } from '@otel-ws/nestjs'
import { connect, Telemetry } from '@otel-ws/testkit'
import { ReplaySubject } from 'rxjs'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type App, startApp } from './app.ts'

let telemetry = new Telemetry()
let app: App

/** Questions without an answer. */
const asked = new Map<string, ReplaySubject<unknown>>()

@WebSocketGateway({ path: '/chat' })
class ChatGateway {
  @SubscribeMessage('ask')
  ask(@MessageBody() question: string) {
    const answers = new ReplaySubject<unknown>()
    asked.set(question, answers)
    return answers
  }

  /** Answers what another message asked: in this message's context. */
  @SubscribeMessage('refuse')
  async refuse(@MessageBody() question: string) {
    asked.get(question)?.next({ event: 'thinking', data: question })
    await new Promise(setImmediate)
    asked.get(question)?.error(new WsException({ code: 'refused', message: question }))
  }

  @SubscribeMessage('fail')
  fail(@MessageBody() question: string) {
    asked.get(question)?.complete()
    throw new WsException({ code: 'failed', message: question })
  }
}

beforeEach(async () => {
  telemetry = new Telemetry()
  telemetry.install()
  app = await startApp({
    platform: 'platform-ws',
    gateways: [ChatGateway],
    metadata: { imports: [WsTraceModule.forRoot()] },
  })
})

afterEach(async () => {
  await app.nest.close()
  await telemetry.uninstall()
  expect(telemetry.openSpans()).toEqual([])
})

const errorOf = (name: string) => telemetry.span(name).attributes['error.type']

it('a stream that another message fails is recorded on its own message only', async () => {
  const client = await connect(`${app.url}/chat`)
  client.send('{"event":"ask","data":"why"}')
  client.send('{"event":"refuse","data":"why"}')
  expect(await client.next()).toBe('{"event":"thinking","data":"why"}')
  await telemetry.waitForSpan('process ask')
  await telemetry.waitForSpan('process refuse')
  expect([errorOf('process ask'), errorOf('process refuse')]).toEqual(['refused', undefined])
  expect(telemetry.span('process ask').attributes).toMatchObject({
    'code.function.name': 'ChatGateway.ask',
    'websocket.stream.items': 1,
    'websocket.stream.outcome': 'failed',
  })
  await client.close()
})

it('a stream that fails outside of any message is recorded on its message', async () => {
  const client = await connect(`${app.url}/chat`)
  client.send('{"event":"ask","data":"when"}')
  client.send('{"event":"ask","data":"where"}')
  await expect.poll(() => asked.has('where')).toBe(true)
  trace.getTracer('worker').startActiveSpan('work', (span) => {
    asked.get('when')?.next({ event: 'thinking', data: 1 })
    asked.get('when')?.error(new WsException({ code: 'refused', message: 'when' }))
    asked.get('where')?.complete()
    span.end()
  })
  await telemetry.waitForSpan('process ask', 2)
  expect(telemetry.spans('process ask').map((span) => span.attributes['error.type'])).toEqual(['refused', undefined])
  await client.close()
})

it('a handler that ends a stream and then fails is recorded on its own message only', async () => {
  const client = await connect(`${app.url}/chat`)
  client.send('{"event":"ask","data":"who"}')
  client.send('{"event":"fail","data":"who"}')
  await telemetry.waitForSpan('process ask')
  await telemetry.waitForSpan('process fail')
  expect([errorOf('process ask'), errorOf('process fail')]).toEqual([undefined, 'failed'])
  await client.close()
})
