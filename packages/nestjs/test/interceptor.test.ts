import { UseInterceptors } from '@nestjs/common'
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets'
import { SpanKind } from '@opentelemetry/api'
import { connectionOf, WsTraceInterceptor } from '@otel-ws/nestjs'
import { connect, Telemetry } from '@otel-ws/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type App, startApp } from './app.ts'

let telemetry = new Telemetry()
let app: App | undefined

beforeEach(() => {
  telemetry = new Telemetry()
  telemetry.install()
})

afterEach(async () => {
  await app?.nest.close()
  app = undefined
  await telemetry.uninstall()
})

describe('WsTraceInterceptor alone', () => {
  it('makes a span of each message, named by its pattern', async () => {
    @WebSocketGateway({ path: '/chat' })
    @UseInterceptors(WsTraceInterceptor)
    class ChatGateway {
      @SubscribeMessage('echo')
      onEcho(@MessageBody() data: unknown) {
        return { event: 'echoed', data }
      }
    }
    app = await startApp('platform-ws', [ChatGateway])
    const client = await connect(`ws://${app.address}/chat`)
    client.send('{"event":"echo","data":1}')
    expect(await client.next()).toBe('{"event":"echoed","data":1}')
    const span = await telemetry.waitForSpan('process echo')
    expect(span.kind).toBe(SpanKind.CONSUMER)
    expect(span.attributes).toEqual({
      'websocket.connection.id': expect.stringMatching(/^[0-9a-f]{16}$/),
      'websocket.route': '/chat',
      'websocket.message.name': 'echo',
      'code.function.name': 'ChatGateway.onEcho',
    })
    expect(connectionOf).toBeTypeOf('function')
    await client.close()
  })
})
