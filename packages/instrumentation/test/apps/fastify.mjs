import { setImmediate } from 'node:timers/promises'
import websocket from '@fastify/websocket'
import { trace } from '@opentelemetry/api'
import Fastify from 'fastify'

const app = Fastify()
await app.register(websocket)

app.get('/chat/:room', { websocket: true }, (socket) => {
  socket.on('message', async (data) => {
    await trace.getTracer('app').startActiveSpan('work', async (span) => {
      await setImmediate()
      span.end()
    })
    socket.send(JSON.stringify({ type: 'answer', to: JSON.parse(data).type }))
  })
})

await app.listen({ port: 0, host: '127.0.0.1' })
process.stdout.write(`${app.server.address().port}\n`)
