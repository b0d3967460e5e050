import { setImmediate } from 'node:timers/promises'
import { trace } from '@opentelemetry/api'
import { plugin as websocket } from 'crossws/server'
import { defineWebSocketHandler, H3, serve } from 'h3'

const app = new H3()
app.get(
  '/chat/:room',
  defineWebSocketHandler({
    upgrade(request) {
      if (request.url.endsWith('?stranger')) throw new Response('no', { status: 401 })
    },
    open() {},
    async message(peer, message) {
      await trace.getTracer('app').startActiveSpan('work', async (span) => {
        await setImmediate()
        span.end()
      })
      peer.send({ type: 'answer', to: message.json().type })
    },
  }),
)
const server = serve(app, { port: 0, hostname: '127.0.0.1', silent: true, plugins: [websocket({})] })
await server.ready()
process.stdout.write(`${new URL(server.url).port}\n`)
