import { EventEmitter, on } from 'node:events'
import { context } from '@opentelemetry/api'
import { extractContext, injectContext, traceWebSocketServer, type WebSocketServerOptions } from '@otel-ws/ws'
import { type WebSocket, WebSocketServer } from 'ws'

interface Job {
  readonly socket: WebSocket
  readonly text: string
}

/** A server that answers from a queue: one worker, started long before any message, takes one job after the other. */
export function startQueueNode(port: number, options: WebSocketServerOptions = {}) {
  const queue = new EventEmitter()
  const stop = new AbortController()

  const wss = new WebSocketServer({ port, host: '127.0.0.1' })
  const traced = traceWebSocketServer(wss, { route: '/work', ...options })

  wss.on('connection', (socket) => {
    socket.on('message', (data) => {
      // The worker runs in a context of its own: the job brings the message's along.
      queue.emit('job', injectContext<Job>({ socket, text: data.toString() }))
    })
  })

  async function work(): Promise<void> {
    for await (const [job] of on(queue, 'job', { signal: stop.signal })) {
      const { payload, context: sender } = extractContext<Job>(job)
      await context.with(sender, () => answer(payload))
    }
  }

  const done = work().catch((error: Error) => {
    if (error.name !== 'AbortError') throw error
  })

  return {
    wss,
    async close() {
      stop.abort()
      await done
      for (const socket of wss.clients) socket.terminate()
      await new Promise((resolve) => wss.close(resolve))
      await traced.shutdown()
    },
  }
}

async function answer({ socket, text }: Job): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
  socket.send(text.toUpperCase())
}
