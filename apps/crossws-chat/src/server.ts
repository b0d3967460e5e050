import { setTimeout as delay } from 'node:timers/promises'
import { trace } from '@opentelemetry/api'
import { traceHooks } from '@otel-ws/crossws'
import { LOOK_UP_TIME, ROOM_ROUTE, ROOM_TOKEN, type RoomMessage, type RoomServer } from '@otel-ws/demo-kit'
import type { Hooks, Peer } from 'crossws'
import { plugin as websocket } from 'crossws/server'
import { defineWebSocketHandler, H3, serve } from 'h3'

const tracer = trace.getTracer('crossws-chat')

/** The service that translates is always down: its calls are the demo's failing handler. */
class TranslationUnavailable extends Error {
  override readonly name = 'TranslationUnavailable'
}

const roomOf = ({ request }: Peer): string => new URL(request.url).pathname.split('/').at(-1) ?? ''

/** The chat, as it would be without telemetry. */
const chat: Partial<Hooks> = {
  upgrade(request) {
    const token = new URL(request.url).searchParams.get('token')
    if (token !== ROOM_TOKEN) throw new Response('unknown token', { status: 401 })
  },
  open(peer) {
    peer.subscribe(roomOf(peer))
  },
  async message(peer, message) {
    const { type, text } = message.json<RoomMessage>()
    if (type === 'say') say(peer, text)
    else if (type === 'look up') await lookUp(peer, text)
    else await translate(peer)
  },
}

/** Sends a text to all members of the room: the others are subscribers of its topic. */
function say(peer: Peer, text: string): void {
  const said = JSON.stringify({ type: 'said', text })
  peer.send(said)
  peer.publish(roomOf(peer), said)
}

async function lookUp(peer: Peer, text: string): Promise<void> {
  await tracer.startActiveSpan('read history', async (span) => {
    await delay(LOOK_UP_TIME)
    span.end()
  })
  peer.send(JSON.stringify({ type: 'found', text }))
}

async function translate(peer: Peer): Promise<void> {
  await delay(20)
  const error = new TranslationUnavailable('no answer')
  peer.send(JSON.stringify({ type: 'failed', text: error.message }))
  throw error
}

/** Starts the server. OpenTelemetry is set up already when this is called. */
export async function startChatServer(port: number): Promise<RoomServer> {
  const app = new H3()
  const traced = traceHooks(chat, { messageName: '$.type' })
  app.get(ROOM_ROUTE, defineWebSocketHandler(traced))
  const server = serve(app, { port, hostname: '127.0.0.1', silent: true, plugins: [websocket({})] })
  await server.ready()
  return {
    url: (server.url ?? '').replace(/\/$/, ''),
    async close() {
      await server.close(true)
      await traced.shutdown()
    },
  }
}
