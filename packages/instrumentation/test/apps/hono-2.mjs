import { setImmediate } from 'node:timers/promises'
import { trace } from '@opentelemetry/api'
import { Hono } from 'hono'
import { serve, upgradeWebSocket } from 'hono-node-server-2'
import { WebSocketServer } from 'ws'

const app = new Hono()
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
const websocket = { server: new WebSocketServer({ noServer: true }) }
serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1', websocket }, ({ port }) => process.stdout.write(`${port}\n`))
