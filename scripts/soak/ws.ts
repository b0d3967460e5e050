import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { traceWebSocketServer } from '@otel-ws/ws'
import { WebSocket, WebSocketServer } from 'ws'
import { OPTIONS, type Soak } from './soak.ts'

/** A server of `ws`. */
export const ws: Soak = {
  spans: (messages) => ({
    'GET /soak': 1,
    'open /soak': 1,
    'process /soak': messages,
    'send /soak': messages,
    'close /soak': 1,
  }),

  async start() {
    const wss = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    traceWebSocketServer(wss, { route: '/soak', ...OPTIONS })
    wss.on('connection', (socket) => {
      socket.on('message', async (data) => {
        await null
        socket.send(String(data))
      })
    })
    await once(wss, 'listening')
    const url = `ws://127.0.0.1:${(wss.address() as AddressInfo).port}`
    return {
      size: (text) => Buffer.byteLength(text),
      async visit(texts) {
        const client = new WebSocket(url, { perMessageDeflate: false })
        await once(client, 'open')
        for (const text of texts) {
          client.send(text)
          const [echo] = await once(client, 'message')
          if (String(echo) !== text) throw new Error(`another echo: ${echo}`)
        }
        client.close(1000)
        await once(client, 'close')
      },
      async close() {
        await new Promise((resolve) => wss.close(resolve))
      },
    }
  },
}
