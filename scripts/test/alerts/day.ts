import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { MeterProvider } from '@opentelemetry/sdk-metrics'
import { AlwaysOnSampler, TracerProvider } from '@opentelemetry/sdk-trace'
import { clientMetrics, traceWebSocket } from '@otel-ws/client'
import { createTelemetry, type Telemetry } from '@otel-ws/core/adapter'
import { traceSocketServer } from '@otel-ws/socket.io'
import { connectionOf, traceWebSocketServer } from '@otel-ws/ws'
import { Server } from 'socket.io'
import { io } from 'socket.io-client'
import { WebSocket, WebSocketServer } from 'ws'
import { Reader } from './reader.ts'

// A handler that fails becomes an `error` of its socket, and not the end of the process.
EventEmitter.captureRejections = true

/** Servers and clients on which everything happens that a dashboard shows, again with each step. */
export class Day {
  readonly #reader = new Reader()
  readonly #meterProvider = new MeterProvider({ readers: [this.#reader] })
  readonly #http = createServer()
  readonly #ioHttp = createServer()
  readonly #wss = new WebSocketServer({
    server: this.#http,
    verifyClient: (info: { req: IncomingMessage }) => !info.req.url?.endsWith('no'),
  })
  readonly #io = new Server(this.#ioHttp)
  readonly #stops: (() => Promise<void>)[] = []
  #clients: WebSocket[] = []
  #socket: ReturnType<typeof io> | undefined
  #telemetry: Telemetry | undefined

  async start(): Promise<void> {
    const tracerProvider = new TracerProvider({ sampler: new AlwaysOnSampler() })
    const common = {
      meterProvider: this.#meterProvider,
      tracerProvider,
      maxMessageSpansPerSecond: 2,
      idleTimeout: 60_000,
    }
    const traced = traceWebSocketServer(this.#wss, { ...common, route: '/chat', messageName: '$.type' })
    const tracedIo = traceSocketServer(this.#io, common)
    // A broadcast of another node, as the adapter of a cluster hands it on.
    const driver = { bufferedAmount: () => 0, text: (data: unknown) => String(data) }
    this.#telemetry = createTelemetry(common, { name: 'otel-ws-of-a-cluster', version: '1.0.0' }, driver as never)
    this.#stops.push(
      () => traced.shutdown(),
      () => tracedIo.shutdown(),
    )
    this.#wss.on('connection', (socket) => {
      socket.on('message', async (data) => this.#received(socket, String(data)))
      socket.on('error', () => {})
    })
    this.#io.on('connection', (socket) => {
      socket.on('ask', async (answer: () => void) => {
        await socket.join('room')
        await socket.leave('room')
        answer()
      })
      socket.on('news', () => this.#io.emit('news', 1))
    })
    for (const http of [this.#http, this.#ioHttp]) {
      http.listen(0, '127.0.0.1')
      await once(http, 'listening')
    }
    this.#clients = await Promise.all([this.#open(), this.#open()])
    this.#socket = io(`http://127.0.0.1:${(this.#ioHttp.address() as AddressInfo).port}`, { transports: ['websocket'] })
    await new Promise<void>((resolve) => this.#socket?.once('connect', resolve))
  }

  /** Makes everything happen once. */
  async step(): Promise<void> {
    const [first] = this.#clients as [WebSocket, WebSocket]
    for (const message of [
      '{"type":"say"}',
      '{"type":"fail"}',
      '{"type":"stream"}',
      '{"jsonrpc":"2.0","id":1,"method":"order.place"}',
    ]) {
      const answered = once(first, 'message')
      first.send(message)
      await answered
    }
    const [socket] = this.#wss.clients
    const answered = socket === undefined ? undefined : once(socket, 'pong')
    socket?.ping()
    await answered
    await this.#socket?.emitWithAck('ask')
    const heard = new Promise((resolve) => this.#socket?.once('news', resolve))
    this.#socket?.emit('news')
    await heard
    await this.#visit('{"type":"leave"}')
    await this.#visit('{"type":"say"}')
    this.#telemetry?.startDelivery({ route: '/news' }, 'news', { sentAt: Date.now() })?.run((delivery) => {
      delivery.encoded(false, 4)
      delivery.fanoutCompleted()
    })
    await this.#deploy()
    const refused = new WebSocket(`${this.#url}/no`).on('error', () => {})
    await new Promise((resolve) => refused.once('close', resolve))
  }

  async collect() {
    return (await this.#reader.collect()).resourceMetrics
  }

  async stop(): Promise<void> {
    this.#socket?.disconnect()
    for (const client of this.#wss.clients) client.terminate()
    await this.#io.close()
    this.#http.close()
    for (const stop of this.#stops) await stop()
  }

  /** A traced client comes, says one thing, and leaves if it is still there. */
  async #visit(message: string): Promise<void> {
    const guest = await this.#open(true)
    const closed = new Promise((resolve) => guest.once('close', resolve))
    guest.on('message', () => guest.close(1000))
    guest.send(message)
    await closed
  }

  get #url(): string {
    return `ws://127.0.0.1:${(this.#http.address() as AddressInfo).port}/chat`
  }

  async #open(traced = false): Promise<WebSocket> {
    const bare = new WebSocket(this.#url)
    const options = { route: '/chat', meterProvider: this.#meterProvider, metrics: clientMetrics }
    const client = (traced ? traceWebSocket(bare as never, options) : bare) as unknown as WebSocket
    await once(client, 'open')
    return client
  }

  /** Another server is replaced while it holds a connection. */
  async #deploy(): Promise<void> {
    const wss = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    await once(wss, 'listening')
    const traced = traceWebSocketServer(wss, { meterProvider: this.#meterProvider, route: '/chat' })
    const client = new WebSocket(`ws://127.0.0.1:${(wss.address() as AddressInfo).port}`)
    await once(client, 'open')
    const closed = once(wss, 'close')
    wss.close()
    client.close(1001)
    await closed
    await traced.shutdown()
  }

  async #received(socket: WebSocket, text: string): Promise<void> {
    const { type, method } = JSON.parse(text) as { type?: string; method?: string }
    if (method !== undefined) {
      socket.send('{"jsonrpc":"2.0","id":1,"result":true}')
      return
    }
    if (type === 'leave') {
      socket.terminate()
      socket.send('too late')
      await new Promise((resolve) => socket.once('close', resolve))
      await new Promise(setImmediate)
      throw new RangeError('nobody is left')
    }
    if (type === 'stream') {
      const stream = connectionOf(socket)?.stream()
      stream?.item()
      stream?.end()
    }
    if (type === 'say') for (const client of this.#wss.clients) client.send('{"type":"said"}')
    else socket.send('{"type":"done"}')
    if (type === 'fail') throw new RangeError('no')
  }
}
