// Prints what spans of one connection weigh as OTLP, by setting: `node --import tsx bench/cost.ts`. No time is measured.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type ReadableSpan,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import { type TelemetryOptions, traceWebSocketServer } from '@otel-ws/ws'
import { WebSocket, WebSocketServer } from 'ws'

const MESSAGES = 1_000
/** Spans of one export, as the SDK's batch processor makes them by default. */
const BATCH = 512
const SECONDS_OF_A_DAY = 86_400

interface Setting {
  readonly name: string
  readonly options?: TelemetryOptions
  readonly isSampled?: boolean
  /** Connections that get each message. Default: only its sender. */
  readonly recipients?: number
}

const SETTINGS: readonly Setting[] = [
  { name: 'defaults, all sampled' },
  { name: '`messageName`', options: { messageName: '$.type' } },
  { name: '`outgoing: false`', options: { outgoing: false } },
  { name: "`traces: 'connection'`", options: { traces: 'connection' } },
  { name: '`messages: false`', options: { messages: false } },
  { name: 'not sampled', isSampled: false },
  { name: 'each message to 100 connections', recipients: 100 },
]

async function measure({ options = {}, isSampled = true, recipients = 1 }: Setting) {
  const spans: ReadableSpan[] = []
  const tracerProvider = new TracerProvider({
    sampler: new ParentBasedSampler({ root: isSampled ? new AlwaysOnSampler() : new AlwaysOffSampler() }),
    spanProcessors: [
      { onStart() {}, onEnd: (span) => void spans.push(span), forceFlush: async () => {}, shutdown: async () => {} },
    ],
  })
  const http = createServer()
  const wss = new WebSocketServer({ server: http })
  const all = {
    route: '/chat/:room',
    tracerProvider,
    maxSpansPerSecond: false as const,
    maxMessageSpansPerSecond: Number.POSITIVE_INFINITY,
    ...options,
  }
  const traced = traceWebSocketServer(wss, all)
  wss.on('connection', (socket) => {
    socket.on('message', (data) => {
      const text = String(data)
      if (recipients === 1) socket.send(text)
      else for (const client of wss.clients) client.send(text)
    })
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}/chat/lobby`
  const clients = Array.from({ length: recipients }, () => new WebSocket(url))
  await Promise.all(clients.map((client) => once(client, 'open')))
  const [client] = clients as [WebSocket]
  for (let sent = 0; sent < MESSAGES; sent++) {
    const answered = once(client, 'message')
    client.send(`{"type":"say","text":"${'x'.repeat(100)}"}`)
    await answered
  }
  for (const each of clients) each.close(1000)
  await Promise.all(clients.map((each) => once(each, 'close')))
  while (wss.clients.size > 0) await new Promise(setImmediate)
  await traced.shutdown()
  http.close()
  const ofMessages = spans.filter(({ name }) => /^(process|send|broadcast|connection) /.test(name))
  return {
    spans: ofMessages.length / MESSAGES,
    bytes: weigh(ofMessages) / MESSAGES,
    connectionSpans: (spans.length - ofMessages.length) / recipients,
    connectionBytes: weigh(spans.filter((span) => !ofMessages.includes(span))) / recipients,
  }
}

function weigh(spans: readonly ReadableSpan[]): number {
  let bytes = 0
  for (let at = 0; at < spans.length; at += BATCH) {
    bytes += ProtobufTraceSerializer.serializeRequest(spans.slice(at, at + BATCH))?.length ?? 0
  }
  return bytes
}

const perDay = (bytes: number, rate: number): string => `${((bytes * rate * SECONDS_OF_A_DAY) / 1e9).toFixed(1)} GB`

console.log(
  '| setting | spans per message | OTLP per message | a day at 100 messages/s | at 1,000/s | per connection |',
)
console.log('| --- | --- | --- | --- | --- | --- |')
for (const setting of SETTINGS) {
  const { spans, bytes, connectionSpans, connectionBytes } = await measure(setting)
  console.log(
    `| ${setting.name} | ${Number(spans.toFixed(3))} | ${Math.round(bytes)} B | ${perDay(bytes, 100)} | ${perDay(bytes, 1000)} | ${connectionSpans.toFixed(0)} spans, ${Math.round(connectionBytes)} B |`,
  )
}
