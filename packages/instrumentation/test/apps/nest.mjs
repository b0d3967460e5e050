import 'reflect-metadata'
import { setImmediate } from 'node:timers/promises'
import { Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { WsAdapter } from '@nestjs/platform-ws'
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets'
import { trace } from '@opentelemetry/api'

class ChatGateway {
  async onQuestion(_client, text) {
    await trace.getTracer('app').startActiveSpan('work', async (span) => {
      await setImmediate()
      span.end()
    })
    return { event: 'answer', data: text }
  }
}
const { prototype } = ChatGateway
SubscribeMessage('question')(prototype, 'onQuestion', Object.getOwnPropertyDescriptor(prototype, 'onQuestion'))
WebSocketGateway({ path: '/chat' })(ChatGateway)

class AppModule {}
Module({ providers: [ChatGateway] })(AppModule)

const app = await NestFactory.create(AppModule, { logger: ['error'] })
app.useWebSocketAdapter(new WsAdapter(app))
await app.listen(0, '127.0.0.1')
process.stdout.write(`${app.getHttpServer().address().port}\n`)
