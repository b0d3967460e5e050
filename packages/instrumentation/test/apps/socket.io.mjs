import { createServer } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import { trace } from '@opentelemetry/api'
import { Server } from 'socket.io'

const http = createServer()
const io = new Server(http)

io.of('/chat').on('connection', (socket) => {
  socket.on('question', async (text, answer) => {
    await trace.getTracer('app').startActiveSpan('work', async (span) => {
      await setImmediate()
      span.end()
    })
    answer(text)
  })
})

http.listen(0, '127.0.0.1', () => process.stdout.write(`${http.address().port}\n`))
