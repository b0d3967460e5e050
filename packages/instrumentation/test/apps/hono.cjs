const { setImmediate } = require('node:timers/promises')
const { serve } = require('@hono/node-server')
const { createNodeWebSocket } = require('@hono/node-ws')
const { trace } = require('@opentelemetry/api')
const { Hono } = require('hono')

const app = new Hono()
const { injectWebSocket, upgradeWebSocket } = createNodeWebSocket({ app })
app.get('/chat/:room', (c, next) => (c.req.query('stranger') === undefined ? next() : c.text('no', 401)))
app.get(
  '/chat/:room',
  upgradeWebSocket(() => ({
    onOpen() {},
    async onMessage({ data }, socket) {
      await trace.getTracer('app').startActiveSpan('work', async (span) => {
        await setImmediate()
        span.end()
      })
      socket.send(JSON.stringify({ type: 'answer', to: JSON.parse(data).type }))
    },
  })),
)
const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) =>
  process.stdout.write(`${port}\n`),
)
injectWebSocket(server)
