import { setImmediate } from 'node:timers/promises'
import { trace } from '@opentelemetry/api'
import { WebSocketServer } from 'ws'

const wss = new WebSocketServer({ port: 0, host: '127.0.0.1', path: '/chat' })

wss.on('connection', (socket) => {
  socket.on('message', async (data) => {
    await trace.getTracer('app').startActiveSpan('work', async (span) => {
      await setImmediate()
      span.end()
    })
    socket.send(JSON.stringify({ type: 'answer', to: JSON.parse(data).type }))
  })
})

wss.on('listening', () => process.stdout.write(`${wss.address().port}\n`))
