// A server that answers from a queue: one worker, started long before any message, takes one job after the other.
const { EventEmitter, on } = require('node:events')
const { context } = require('@opentelemetry/api')
const { extractContext, injectContext, traceWebSocketServer } = require('@otel-ws/ws')
const { WebSocketServer } = require('ws')

// The tests have to fail with it.
const losesTrace = process.env.LOSE_TRACE === '1'

exports.startServer = async () => {
  const queue = new EventEmitter()
  const stop = new AbortController()
  const wss = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  const traced = traceWebSocketServer(wss, { route: '/work', messageName: '$.type' })
  wss.on('connection', (socket) => {
    socket.on('message', (data) => {
      queue.emit('job', injectContext({ socket, text: data.toString() }))
    })
  })

  async function work() {
    for await (const [job] of on(queue, 'job', { signal: stop.signal })) {
      const { payload, context: sender } = extractContext(job)
      const answer = () => payload.socket.send(payload.text.toUpperCase())
      if (losesTrace) answer()
      else context.with(sender, answer)
    }
  }
  const done = work().catch((error) => {
    if (error.name !== 'AbortError') throw error
  })

  if (wss.address() === null) await new Promise((resolve) => wss.once('listening', resolve))
  return {
    url: `ws://127.0.0.1:${wss.address().port}`,
    async close() {
      stop.abort()
      await done
      for (const socket of wss.clients) socket.terminate()
      await new Promise((resolve) => wss.close(resolve))
      await traced.shutdown()
    },
  }
}
