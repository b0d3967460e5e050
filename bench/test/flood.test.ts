import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { context, diag, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { type ExportResult, ExportResultCode } from '@opentelemetry/core'
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics'
import { BatchSpanProcessor, type ReadableSpan, TracerProvider } from '@opentelemetry/sdk-trace'
import { traceWebSocketServer } from '@otel-ws/ws'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'

const CONNECTIONS = 4
/** Messages in a slice of ten milliseconds: 20,000 a second. */
const SLICE = 200
const SLICES = 200
const TOTAL = SLICE * SLICES
/** One of so many messages has the rare name, and one of so many fails. */
const RARE = 1000
const FAILING = 2000

/** Answers within 100 ms. */
class Exporter {
  readonly spans: ReadableSpan[] = []
  largest = 0

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.spans.push(...spans)
    this.largest = Math.max(this.largest, spans.length)
    globalThis.setTimeout(() => done({ code: ExportResultCode.SUCCESS }), 95)
  }

  async shutdown(): Promise<void> {}
}

class Reader extends MetricReader {
  protected async onForceFlush(): Promise<void> {}
  protected async onShutdown(): Promise<void> {}
}

const exporter = new Exporter()
const reader = new Reader()
let ended = 0
const warnings: string[] = []
const tracerProvider = new TracerProvider({
  spanProcessors: [
    new BatchSpanProcessor({ exporter }),
    { onStart() {}, onEnd: () => void ended++, forceFlush: async () => {}, shutdown: async () => {} },
  ],
})
const meterProvider = new MeterProvider({ readers: [reader] })
const unhandled = process.listeners('unhandledRejection')
let rejections = 0

beforeEach(() => {
  diag.setLogger({ error() {}, warn: (text) => void warnings.push(text), info() {}, debug() {}, verbose() {} })
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  trace.setGlobalTracerProvider(tracerProvider)
  // Handlers fail on purpose.
  process.removeAllListeners('unhandledRejection')
  process.on('unhandledRejection', () => void rejections++)
})

afterEach(async () => {
  process.removeAllListeners('unhandledRejection')
  for (const listener of unhandled) process.on('unhandledRejection', listener)
  await tracerProvider.shutdown()
  await meterProvider.shutdown()
  trace.disable()
  context.disable()
  diag.disable()
})

/** A text frame of a client, masked with zeros. */
function frame(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)])
}

const FLOOD = frame('{"type":"cursor"}')
const PAY = frame('{"type":"pay"}')
const FAIL = frame('{"type":"cursor","fail":true}')

async function upgraded(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.write(
    'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  )
  await once(socket, 'data')
  return socket
}

/** Sums of an instrument's data points. */
async function points(name: string): Promise<{ attributes: Record<string, unknown>; value: unknown }[]> {
  const { resourceMetrics } = await reader.collect()
  return resourceMetrics.scopeMetrics
    .flatMap(({ metrics }) => metrics)
    .filter(({ descriptor }) => descriptor.name === name)
    .flatMap(({ dataPoints }) => dataPoints as never)
}

it('a flood of 20,000 messages a second overflows no queue, keeps rare names and failures, and counts each message', async () => {
  const wss = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  traceWebSocketServer(wss, { route: '/flood', messageName: '$.type', meterProvider })
  let received = 0
  let allReceived = () => {}
  const all = new Promise<void>((resolve) => {
    allReceived = resolve
  })
  wss.on('connection', (socket) => {
    socket.on('message', async (data: Buffer) => {
      if (++received === TOTAL) allReceived()
      if (data.length === FAIL.length - 6) throw new RangeError('on purpose')
    })
  })
  await once(wss, 'listening')
  const { port } = wss.address() as AddressInfo
  const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => upgraded(port)))
  for (let slice = 0; slice < SLICES; slice++) {
    for (const [index, client] of clients.entries()) {
      const frames: Buffer[] = []
      for (let n = index; n < SLICE; n += CONNECTIONS) {
        const nth = slice * SLICE + n
        frames.push(nth % FAILING === 1 ? FAIL : nth % RARE === 500 ? PAY : FLOOD)
      }
      client.write(Buffer.concat(frames))
    }
    await setTimeout(10)
  }
  await all
  const closed = [...wss.clients].map((socket) => once(socket, 'close'))
  for (const client of clients) client.destroy()
  await Promise.all(closed)
  await tracerProvider.forceFlush()

  expect(exporter.spans.length).toBe(ended)
  expect(exporter.largest).toBeLessThanOrEqual(512)
  expect(warnings.filter((text) => /Dropped/.test(text))).toEqual([])
  expect(rejections).toBe(TOTAL / FAILING)

  const processed = exporter.spans.filter(({ name }) => name.startsWith('process'))
  const late = processed.filter(({ attributes }) => attributes['websocket.keep.reason'] !== undefined)
  expect(processed.filter(({ name }) => name === 'process pay')).toHaveLength(TOTAL / RARE)
  expect(processed.filter(({ attributes }) => attributes['error.type'] === 'RangeError')).toHaveLength(TOTAL / FAILING)
  // All four connections have their part.
  const ids = processed.map(({ attributes }) => attributes['websocket.connection.id'])
  expect(new Set(ids).size).toBe(CONNECTIONS)

  const messages = await points('websocket.server.messages')
  expect(messages.map(({ attributes, value }) => [attributes['websocket.message.name'], value])).toEqual([
    ['cursor', TOTAL - TOTAL / RARE],
    ['pay', TOTAL / RARE],
  ])
  const durations = await points('websocket.server.message.process.duration')
  const counts = durations.map(({ value }) => (value as { count: number }).count)
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(TOTAL)
  const dropped = await points('websocket.server.spans.dropped')
  expect(dropped.map(({ attributes, value }) => [attributes['websocket.spans.drop.reason'], value])).toEqual([
    ['process_budget', TOTAL - (processed.length - late.length)],
  ])
  await new Promise((resolve) => wss.close(resolve))
}, 60_000)
