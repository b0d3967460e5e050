import { context } from '@opentelemetry/api'
import {
  broadcast,
  extractContext,
  injectContext,
  traceWebSocketServer,
  type WebSocketServerOptions,
} from '@otel-ws/ws'
import { createClient } from 'redis'
import { WebSocketServer } from 'ws'

const CHANNEL = 'chat'

/** One node of a chat: what a client says on any node is published, and every node delivers it to its own clients. */
export async function startRedisNode(redisUrl: string, port: number, options: WebSocketServerOptions = {}) {
  const publisher = await createClient({ url: redisUrl }).connect()
  const subscriber = await publisher.duplicate().connect()

  const wss = new WebSocketServer({ port, host: '127.0.0.1' })
  const traced = traceWebSocketServer(wss, { route: '/chat', messageName: '$.type', ...options })

  wss.on('connection', (socket) => {
    socket.on('message', async (data) => {
      // The process span of the message travels with it.
      await publisher.publish(CHANNEL, injectContext(data.toString()))
    })
  })

  await subscriber.subscribe(CHANNEL, (message) => {
    const { payload, context: sender } = extractContext(message)
    // The broadcast of every node is part of the sender's trace.
    context.with(sender, () => broadcast(wss.clients, payload))
  })

  return {
    wss,
    async close() {
      for (const socket of wss.clients) socket.terminate()
      await new Promise((resolve) => wss.close(resolve))
      await Promise.all([publisher.close(), subscriber.close()])
      await traced.shutdown()
    },
  }
}
