import { EventEmitter, once } from 'node:events'
import { type ClientOptions, traceHeaders, traceWebSocket } from '@otel-ws/client'
import { traceSocket } from '@otel-ws/client/socket.io'
import { io, type Socket } from 'socket.io-client'
import { WebSocket } from 'ws'
import { PATH } from '../messages.ts'
import type { Platform } from '../platforms/server.ts'

/** Who calls. */
export interface Caller {
  readonly user?: string
  readonly plan?: 'premium'
}

/** A client's connection to the assistant: events in both directions, whatever carries them. */
export interface Wire {
  /** Emits what the server sends, by name. */
  readonly events: EventEmitter
  readonly isOpen: boolean
  /** Resolves when the connection is closed, by whomever. */
  readonly closed: Promise<void>
  send(event: string, data: unknown): void
  /** Leaves politely. */
  close(): void
  /** Is gone without a word. */
  vanish(): void
}

/** Messages have the context of their utterance, and no spans of their own: those of the server show the same. */
const CLIENT_TRACING: ClientOptions = { route: PATH, messages: false }

/** Connects to an assistant. */
export function connect(platform: Platform, url: string, caller: Caller): Promise<Wire> {
  return platform === 'ws' ? connectPlain(url, caller) : connectSocketIo(url, caller)
}

async function connectPlain(url: string, caller: Caller): Promise<Wire> {
  const address = `${url}?${new URLSearchParams({ ...caller })}`
  const headers = traceHeaders(address, CLIENT_TRACING)
  const socket = traceWebSocket(new WebSocket(address, { headers }), CLIENT_TRACING)
  const events = new EventEmitter()
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    const message = isBinary ? { event: 'audio', data } : JSON.parse(data.toString())
    events.emit(message.event, message.data)
  })
  await once(socket, 'open')
  // A connection that breaks is closed next; there is nothing else to do about it.
  socket.on('error', () => {})
  return {
    events,
    closed,
    get isOpen() {
      return socket.readyState === WebSocket.OPEN
    },
    send: (event, data) => socket.send(Buffer.isBuffer(data) ? data : JSON.stringify({ event, data })),
    close: () => socket.close(1000),
    vanish: () => socket.terminate(),
  }
}

async function connectSocketIo(url: string, caller: Caller): Promise<Wire> {
  const options = { path: PATH, query: { ...caller }, transports: ['websocket'], forceNew: true, reconnection: false }
  const socket: Socket = io(new URL('/', url).href, { ...options, autoConnect: false })
  traceSocket(socket, CLIENT_TRACING).connect()
  const events = new EventEmitter()
  const closed = new Promise<void>((resolve) => socket.once('disconnect', () => resolve()))
  socket.onAny((event: string, data: unknown) => events.emit(event, data))
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('connect_error', reject)
  })
  return {
    events,
    closed,
    get isOpen() {
      return socket.connected
    },
    send: (event, data) => socket.emit(event, data),
    close: () => socket.disconnect(),
    vanish: () => socket.io.engine.close(),
  }
}
