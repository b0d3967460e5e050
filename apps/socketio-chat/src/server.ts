import { captureRejectionSymbol, EventEmitter } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { trace } from '@opentelemetry/api'
import { chatPage, type PageTelemetry } from '@otel-ws/demo-kit'
import { connectionOf, traceSocketServer } from '@otel-ws/socket.io'
import { Server, type ServerOptions, type Socket } from 'socket.io'
import type { ClientEvents, NodeEvents, Person, ServerEvents } from './events.ts'
import { serveFile } from './serve-file.ts'

/** How long a search takes, in milliseconds: it is the demo's slow handler. */
export const SEARCH_TIME = 300

/** Milliseconds that people have to vote. */
const VOTING_TIME = 400

/** Lines that a node remembers. */
const HISTORY = 200

const PAGE_SCRIPT = new URL('../public/chat.js', import.meta.url)

const NAME = /^[\p{L}\p{N}_-]{1,20}$/u

type ChatSocket = Socket<ClientEvents, ServerEvents, NodeEvents, Person>

/** Options of a node. */
export interface ChatServerOptions {
  /** Name of the node. */
  readonly node: string
  /** Adapter that connects it to the other nodes. Default: none, it is the only node. */
  readonly adapter?: NonNullable<ServerOptions['adapter']>
  /** Port to listen on, 0 for any. */
  readonly port: number
  /** Where the page's telemetry goes. */
  readonly page?: PageTelemetry
  /** Writes a line into the log. */
  readonly warn: (text: string) => void
}

/** A node that is listening. */
export interface ChatServer {
  readonly url: string
  /** Disconnects all clients, ends open spans and flushes the telemetry. */
  close(): Promise<void>
}

/** The service that translates is always down: its calls are the demo's failing handler. */
class TranslationUnavailable extends Error {
  override readonly name = 'TranslationUnavailable'
}

const tracer = trace.getTracer('socketio-chat')

// Rejections of handlers go to the method below, and not to the client as an event `error`.
EventEmitter.captureRejections = true

/** Starts one node of the chat. OpenTelemetry is set up already when this is called. */
export async function startChatServer({
  node,
  adapter,
  port,
  page = {},
  warn,
}: ChatServerOptions): Promise<ChatServer> {
  const files = chatPage(PAGE_SCRIPT, page)
  const http = createServer((request, response) => serveFile(files, request, response))
  const io = new Server<ClientEvents, ServerEvents, NodeEvents, Person>(http, {
    ...(adapter && { adapter }),
    pingInterval: 2_000,
    pingTimeout: 2_000,
  })
  const history: string[] = []

  // This line traces and measures every namespace, on this node and across the others.
  const traced = traceSocketServer(io, { closeReason: true })

  io.use((socket, next) => {
    const { name } = socket.handshake.auth as { name?: unknown }
    if (typeof name !== 'string' || !NAME.test(name)) {
      warn(`turned away ${JSON.stringify(name)} from ${socket.handshake.address}: the name is not available`)
      return next(new Error('This name is not available.'))
    }
    socket.data.name = name
    next()
  })

  io.on('connection', (socket) => {
    const { name } = socket.data
    // From here on every span of this connection says who it is.
    connectionOf(socket)?.setAttribute('user.id', name)
    socket.join(personal(name))
    Object.assign(socket, {
      [captureRejectionSymbol](error: Error) {
        warn(`${error.name}: ${error.message}`)
        socket.emit('failed', error.message)
      },
    })
    socket.on('disconnect', () => {
      const { room } = socket.data
      if (room !== undefined) io.to(room).emit('left', name)
    })

    socket.on('enter', async (room, answer) => {
      if (socket.data.room !== undefined) socket.leave(socket.data.room)
      socket.data.room = room
      socket.join(room)
      const members = await io.in(room).fetchSockets()
      socket.to(room).emit('entered', name)
      answer(members.map((member) => member.data.name))
    })
    socket.on('say', (text) => {
      history.push(`${name}: ${text}`)
      history.splice(0, history.length - HISTORY)
      toRoom(socket).emit('said', { from: name, text })
    })
    socket.on('whisper', async (to, text, answer) => {
      const found = await io.in(personal(to)).fetchSockets()
      io.to(personal(to)).emit('whispered', { from: name, text })
      answer(found.length > 0)
    })
    socket.on('announce', (text) => {
      io.emit('announced', { from: name, text })
    })
    socket.on('poll', async (question, answer) => {
      const votes = await toRoom(socket)
        .timeout(VOTING_TIME)
        .emitWithAck('vote', question)
        // Who has voted in time counts.
        .catch((error: { responses?: boolean[] }) => error.responses ?? [])
      answer({ yes: votes.filter(Boolean).length, votes: votes.length })
    })
    socket.on('search', async (text, answer) => {
      const matches = await tracer.startActiveSpan('read history', async (span) => {
        await delay(SEARCH_TIME)
        const found = history.filter((line) => line.includes(text)).slice(-5)
        span.setAttribute('chat.matches', found.length).end()
        return found
      })
      answer(matches)
    })
    socket.on('translate', async () => {
      await delay(20)
      throw new TranslationUnavailable('no answer')
    })
    socket.on('reload', () => {
      io.serverSideEmit('words changed', node)
    })
  })

  io.on('words changed', async () => {
    await tracer.startActiveSpan('read words', async (span) => {
      await delay(10)
      span.end()
    })
  })

  function toRoom(socket: ChatSocket) {
    return io.to(socket.data.room ?? socket.id)
  }

  // The nodes of one machine are workers of a cluster, and would share a port.
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject)
    http.listen({ host: '127.0.0.1', port, exclusive: true }, resolve)
  })
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    async close() {
      await io.close()
      await traced.shutdown()
    },
  }
}

/** The room that only one person is in. */
function personal(name: string): string {
  return `person ${name}`
}
