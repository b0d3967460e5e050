import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { traceSocketServer } from '@otel-ws/socket.io'
import { Server } from 'socket.io'
import { WebSocket } from 'ws'
import { OPTIONS, type Soak } from './soak.ts'

/** A server of Socket.IO, whose clients are written by hand: they are cheaper than its own. */
export const socketIo: Soak = {
  namespace: '/',
  spans: (messages) => ({
    'GET /socket.io': 1,
    'CONNECT /': 1,
    'open /': 1,
    'process say': messages,
    'send say': messages,
    'close /': 1,
  }),

  async start() {
    const http = createServer()
    const io = new Server(http, { pingInterval: 3_600_000 })
    traceSocketServer(io, OPTIONS)
    io.on('connection', (socket) => {
      socket.on('say', async (text: string) => {
        await null
        socket.emit('say', text)
      })
    })
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    const url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}/socket.io/?EIO=4&transport=websocket`
    return {
      // Without the digit of Engine.IO.
      size: (text) => Buffer.byteLength(packetOf(text)) - 1,
      async visit(texts) {
        const client = new WebSocket(url, { perMessageDeflate: false })
        await once(client, 'message')
        client.send('40')
        await once(client, 'message')
        for (const text of texts) {
          client.send(packetOf(text))
          const [echo] = await once(client, 'message')
          if (String(echo) !== packetOf(text)) throw new Error(`another echo: ${echo}`)
        }
        client.send('41')
        client.close(1000)
        await once(client, 'close')
      },
      async close() {
        http.closeAllConnections()
        await io.close()
      },
    }
  },
}

const packetOf = (text: string): string => `42${JSON.stringify(['say', text])}`
