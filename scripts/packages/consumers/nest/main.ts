// A Nest application in TypeScript: its gateway is traced on both platforms, by the module and by the interceptor alone.
import 'reflect-metadata'
import { deepEqual } from 'node:assert/strict'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { Module, type Type, UseInterceptors } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { IoAdapter } from '@nestjs/platform-socket.io'
import { WsAdapter } from '@nestjs/platform-ws'
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets'
import { connectionOf, type TelemetryOptions, WsTraceInterceptor, WsTraceModule } from '@otel-ws/nestjs'
import { io } from 'socket.io-client'
import { WebSocket } from 'ws'

const load = createRequire(`${process.cwd()}/main.js`)
const { spanNames } = load('../telemetry.cjs') as { spanNames(): string[] }

const options: TelemetryOptions = { maxMessageNames: 10 }
const clients: object[] = []

@WebSocketGateway()
class ChatGateway {
  handleConnection(client: object): void {
    clients.push(client)
  }

  @SubscribeMessage('echo')
  async onEcho(@MessageBody() data: string): Promise<{ event: string; data: string }> {
    return { event: 'echo', data }
  }
}

@Module({ imports: [WsTraceModule.forRoot(options)], providers: [ChatGateway] })
class TracedModule {}

@WebSocketGateway()
@UseInterceptors(WsTraceInterceptor)
class BareGateway extends ChatGateway {
  @SubscribeMessage('bare')
  onBare(@MessageBody() data: string): { event: string; data: string } {
    return { event: 'bare', data }
  }
}

@Module({ providers: [BareGateway] })
class BareModule {}

/** Sends an event, waits for the answer and leaves; resolves with the names of the new spans. */
async function visit(root: Type, platform: 'ws' | 'socket.io', event: string): Promise<string[]> {
  const before = spanNames()
  const app = await NestFactory.create(root, { logger: ['error'] })
  app.useWebSocketAdapter(platform === 'ws' ? new WsAdapter(app) : new IoAdapter(app))
  await app.listen(0, '127.0.0.1')
  const address = (await app.getUrl()).replace('[::1]', '127.0.0.1')
  if (platform === 'ws') {
    const client = new WebSocket(address.replace('http', 'ws'))
    await once(client, 'open')
    client.send(JSON.stringify({ event, data: 'hello' }))
    const [answer] = await once(client, 'message')
    deepEqual(JSON.parse(String(answer)), { event, data: 'hello' })
    client.close(1000)
    await once(client, 'close')
  } else {
    const client = io(address, { transports: ['websocket'], reconnection: false, forceNew: true })
    client.emit(event, 'hello')
    deepEqual(await new Promise((resolve) => client.once(event, resolve)), 'hello')
    client.disconnect()
  }
  const known = connectionOf(clients.at(-1)!)?.id
  await app.close()
  deepEqual(known?.length, 16)
  const names = spanNames()
  for (const name of before) names.splice(names.indexOf(name), 1)
  return names
}

async function main(): Promise<void> {
  const messages = ['open /', 'process echo', 'send echo']
  deepEqual(await visit(TracedModule, 'ws', 'echo'), ['GET /', 'close /', ...messages])
  deepEqual(await visit(TracedModule, 'socket.io', 'echo'), ['CONNECT /', 'GET /socket.io', 'close /', ...messages])
  deepEqual(await visit(BareModule, 'ws', 'bare'), ['process bare'])
  deepEqual(await visit(BareModule, 'socket.io', 'bare'), ['process bare'])
}

main().catch((error: unknown) => {
  process.exitCode = 1
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
})
