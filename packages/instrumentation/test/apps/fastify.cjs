const { setImmediate } = require('node:timers/promises')
const { trace } = require('@opentelemetry/api')

const app = require('fastify')()
app.register(require('@fastify/websocket'))

app.register(async function rooms(scope) {
  scope.get('/chat/:room', { websocket: true }, (socket) => {
    socket.on('message', async (data) => {
      await trace.getTracer('app').startActiveSpan('work', async (span) => {
        await setImmediate()
        span.end()
      })
      socket.send(JSON.stringify({ type: 'answer', to: JSON.parse(data).type }))
    })
  })
})

app.listen({ port: 0, host: '127.0.0.1' }, () => process.stdout.write(`${app.server.address().port}\n`))
