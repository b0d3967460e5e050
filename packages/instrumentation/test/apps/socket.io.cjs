const { setImmediate } = require('node:timers/promises')
const { trace } = require('@opentelemetry/api')
const io = new (require('socket.io').Server)(0)

io.of('/chat').on('connection', (socket) => {
  socket.on('question', async (text, answer) => {
    await trace.getTracer('app').startActiveSpan('work', async (span) => {
      await setImmediate()
      span.end()
    })
    answer(text)
  })
})

io.httpServer.on('listening', () => process.stdout.write(`${io.httpServer.address().port}\n`))
