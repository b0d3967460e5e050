import type { AddressInfo } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { trace } from '@opentelemetry/api'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'

/** Syntax that Node itself cannot strip. */
enum Kind {
  Answer = 'answer',
}

const wss = new WebSocketServer({ port: 0, host: '127.0.0.1', path: '/chat' })

wss.on('connection', (socket: WebSocket) => {
  socket.on('message', async (data: RawData) => {
    await trace.getTracer('app').startActiveSpan('work', async (span) => {
      await setImmediate()
      span.end()
    })
    socket.send(JSON.stringify({ type: Kind.Answer, to: JSON.parse(String(data)).type }))
  })
})

wss.on('listening', () => process.stdout.write(`${(wss.address() as AddressInfo).port}\n`))
