require('reflect-metadata')
const { setImmediate } = require('node:timers/promises')
const { Module } = require('@nestjs/common')
const { NestFactory } = require('@nestjs/core')
const { WsAdapter } = require('@nestjs/platform-ws')
const { SubscribeMessage, WebSocketGateway } = require('@nestjs/websockets')
const { trace } = require('@opentelemetry/api')

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

NestFactory.create(AppModule, { logger: ['error'] }).then(async (app) => {
  app.useWebSocketAdapter(new WsAdapter(app))
  await app.listen(0, '127.0.0.1')
  process.stdout.write(`${app.getHttpServer().address().port}\n`)
})
