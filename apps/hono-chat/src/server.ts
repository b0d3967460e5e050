import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { createAdaptorServer } from '@hono/node-server'
import { createNodeWebSocket } from '@hono/node-ws'
import { trace } from '@opentelemetry/api'
import { LOOK_UP_TIME, ROOM_ROUTE, ROOM_TOKEN, type RoomMessage, type RoomServer } from '@otel-ws/demo-kit'
import { traceWebSocket } from '@otel-ws/hono'
import { Hono } from 'hono'
import type { WSContext } from 'hono/ws'

const tracer = trace.getTracer('hono-chat')

/** The service that translates is always down: its calls are the demo's failing handler. */
class TranslationUnavailable extends Error {
  override readonly name = 'TranslationUnavailable'
}

/** Rooms and their members. */
class Rooms {
  readonly #members = new Map<string, Set<WSContext>>()

  join(room: string, member: WSContext): void {
    const members = this.#members.get(room) ?? new Set()
    this.#members.set(room, members.add(member))
  }

  leave(room: string, member: WSContext): void {
    this.#members.get(room)?.delete(member)
  }

  say(room: string, text: string): void {
    const said = JSON.stringify({ type: 'said', text })
    for (const member of this.#members.get(room) ?? []) member.send(said)
  }
}

async function lookUp(socket: WSContext, text: string): Promise<void> {
  await tracer.startActiveSpan('read history', async (span) => {
    await delay(LOOK_UP_TIME)
    span.end()
  })
  socket.send(JSON.stringify({ type: 'found', text }))
}

async function translate(socket: WSContext): Promise<void> {
  await delay(20)
  const error = new TranslationUnavailable('no answer')
  socket.send(JSON.stringify({ type: 'failed', text: error.message }))
  throw error
}

/** Starts the server. OpenTelemetry is set up already when this is called. */
export async function startChatServer(port: number): Promise<RoomServer> {
  const app = new Hono()
  const traced = traceWebSocket(app, createNodeWebSocket({ app }), { messageName: '$.type' })
  const rooms = new Rooms()

  app.get(
    ROOM_ROUTE,
    async (c, next) => (c.req.query('token') === ROOM_TOKEN ? next() : c.text('unknown token', 401)),
    traced.upgradeWebSocket((c) => {
      const room = c.req.param('room') ?? ''
      return {
        onOpen: (_event, socket) => rooms.join(room, socket),
        async onMessage({ data }, socket) {
          const { type, text } = JSON.parse(String(data)) as RoomMessage
          if (type === 'say') rooms.say(room, text)
          else if (type === 'look up') await lookUp(socket, text)
          else await translate(socket)
        },
        onClose: (_event, socket) => rooms.leave(room, socket),
      }
    }),
  )

  const server = createAdaptorServer({ fetch: app.fetch })
  traced.injectWebSocket(server)
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      const closed = once(server, 'close')
      server.close()
      for (const client of traced.wss.clients) client.terminate()
      await closed
      await traced.shutdown()
    },
  }
}
