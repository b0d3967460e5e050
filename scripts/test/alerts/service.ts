import { EventEmitter, once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { MeterProvider } from '@opentelemetry/sdk-metrics'
import { AlwaysOnSampler, TracerProvider } from '@opentelemetry/sdk-trace'
import { clientMetrics, traceWebSocket } from '@otel-ws/client'
import { createTelemetry, type Telemetry } from '@otel-ws/core/adapter'
import { type TelemetryOptions, traceWebSocketServer } from '@otel-ws/ws'
import { WebSocket, WebSocketServer } from 'ws'
import { Reader } from './reader.ts'

// A handler that fails becomes an `error` of its socket, and not the end of the process.
EventEmitter.captureRejections = true

/** How the service treats what it is sent. */
export type Handler = (socket: WebSocket, data: string, service: Service) => unknown

/** A chat server with its clients, all in this process, and its metrics. */
export class Service {
  readonly clients: WebSocket[] = []
  readonly sockets: WebSocket[] = []
  /** True while logins are refused. */
  isLoggedOut = false
  handler: Handler = (socket, data) => socket.send(data)
  readonly telemetry: Telemetry
  readonly #reader = new Reader()
  readonly #meterProvider = new MeterProvider({ readers: [this.#reader] })
  readonly #http: Server = createServer()
  readonly #traced: { shutdown(): Promise<void> }

  constructor(options: TelemetryOptions = {}) {
    const tracerProvider = new TracerProvider({ sampler: new AlwaysOnSampler() })
    const all: TelemetryOptions = { route: '/chat', meterProvider: this.#meterProvider, tracerProvider, ...options }
    const wss = new WebSocketServer({
      server: this.#http,
      verifyClient: (_info, done) => done(!this.isLoggedOut, 401),
    })
    this.#traced = traceWebSocketServer(wss, all)
    this.telemetry = createTelemetry(all, { name: 'otel-ws-of-incidents', version: '1.0.0' }, {
      bufferedAmount: () => 0,
      text: (data: unknown) => String(data),
    } as never)
    wss.on('connection', (socket) => {
      this.sockets.push(socket)
      socket.on('error', () => {})
      socket.on('message', async (data) => this.handler(socket, String(data), this))
    })
  }

  async start(): Promise<void> {
    this.#http.listen(0, '127.0.0.1')
    await once(this.#http, 'listening')
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#http.address() as AddressInfo).port}/chat`
  }

  /** The server's sockets that are open. */
  get open(): WebSocket[] {
    return this.sockets.filter(({ readyState }) => readyState === WebSocket.OPEN)
  }

  /** Opens connections. Those that are refused are dropped. */
  async connect(
    count: number,
    options: { traced?: boolean; autoPong?: boolean; url?: string } = {},
  ): Promise<WebSocket[]> {
    const { traced = false, autoPong = true, url = this.url } = options
    const opened = Array.from({ length: count }, async () => {
      const bare = new WebSocket(url, { autoPong })
      const socket = traced
        ? traceWebSocket(bare as never, { route: '/chat', meterProvider: this.#meterProvider, metrics: clientMetrics })
        : bare
      const client = socket as unknown as WebSocket
      client.on('error', () => {})
      await Promise.race([once(client, 'open'), once(client, 'close')]).catch(() => {})
      return client
    })
    const clients = (await Promise.all(opened)).filter((client) => client.readyState !== WebSocket.CLOSED || !autoPong)
    this.clients.push(...clients)
    return clients
  }

  /** Closes the first `count` clients, and waits until both ends have closed. */
  async leave(count: number, how: 'close' | 'terminate' = 'close'): Promise<void> {
    const leaving = this.clients.splice(0, count)
    const open = this.open.length
    for (const client of leaving) {
      if (how === 'close') client.close(1000)
      else client.terminate()
    }
    while (this.open.length > open - leaving.length) await new Promise(setImmediate)
    for (const socket of [...this.sockets])
      if (socket.readyState === WebSocket.CLOSED) this.sockets.splice(this.sockets.indexOf(socket), 1)
  }

  /** Sends a message from each of the first `count` clients, and waits for the answers. */
  async say(count: number): Promise<void> {
    await Promise.all(
      this.clients.slice(0, count).map(async (client) => {
        const answered = once(client, 'message')
        client.send('hello')
        await answered
      }),
    )
  }

  async collect() {
    const { resourceMetrics } = await this.#reader.collect()
    return resourceMetrics
  }

  async stop(): Promise<void> {
    for (const socket of [...this.clients, ...this.sockets]) socket.terminate()
    this.#http.closeAllConnections()
    this.#http.close()
    await this.#traced.shutdown()
    await this.telemetry.shutdown()
  }
}
