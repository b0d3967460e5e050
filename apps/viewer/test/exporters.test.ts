import { context } from '@opentelemetry/api'
import { SeverityNumber } from '@opentelemetry/api-logs'
import { OTLPLogExporter as JsonLogExporter } from '@opentelemetry/exporter-logs-otlp-http'
import { OTLPLogExporter as ProtobufLogExporter } from '@opentelemetry/exporter-logs-otlp-proto'
import { LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startViewer, type Viewer } from '../src/index.ts'
import { ChatTraffic } from './support/chat-traffic.ts'
import { firstUpdate } from './support/client.ts'

let viewer: Viewer

beforeEach(async () => {
  viewer = await startViewer({ port: 0 })
})
afterEach(() => viewer.close())

const encodings = [
  { encoding: 'json', gzip: false },
  { encoding: 'json', gzip: true },
  { encoding: 'protobuf', gzip: false },
  { encoding: 'protobuf', gzip: true },
] as const

test.each(encodings)('the OpenTelemetry exporters reach it as $encoding, gzip $gzip', async ({ encoding, gzip }) => {
  const chat = new ChatTraffic({ endpoint: viewer.endpoint, service: 'chat', encoding, gzip })
  const at = Date.now() - 60_000
  const connection = chat.connect('00000000000000c1', '/chat/:room', at, '10.0.0.9')
  const within = connection.receive({ at: at + 100, name: 'order.place', duration: 12.5, size: 77, error: 'TypeError' })
  chat.broadcast('chat.message', at + 105, 9, within)
  connection.send('chat.receipt', at + 106, 48, within)
  connection.receive({ at: at + 200, name: 'chat.message', duration: 1, parent: context.active() })
  connection.close(at + 5000, { code: 1009, category: 'too_big', initiator: 'local', error: 'RangeError' })
  await chat.telemetry.flush()

  const { traces, status } = await firstUpdate(viewer, 'view=traces')
  expect(status).toMatchObject({ spans: 7, refused: 0, invalid: 0 })
  const failed = traces!.rows.find((row) => row.name === 'process order.place')!
  expect(failed).toMatchObject({
    kind: 'consumer',
    operation: 'process',
    start: at + 100,
    duration: 12.5,
    spans: 3,
    errors: 1,
    error: 'TypeError',
    services: ['chat'],
    route: '/chat/:room',
    connection: '00000000000000c1',
  })

  const { trace } = await firstUpdate(viewer, `view=traces&open=${failed.id}`)
  expect(trace!.spans.map(({ name }, index) => [trace!.depths[index], name])).toEqual([
    [0, 'process order.place'],
    [1, 'broadcast chat.message'],
    [1, 'send chat.receipt'],
  ])
  const [root] = trace!.spans
  expect(root!.attributes).toEqual([
    ['websocket.connection.id', '00000000000000c1'],
    ['websocket.route', '/chat/:room'],
    ['websocket.message.name', 'order.place'],
    ['websocket.message.type', 'text'],
    ['websocket.message.size', 77],
    ['websocket.message.sequence', 1],
    ['error.type', 'TypeError'],
  ])
  expect(root!.events.map(({ name, time }) => ({ name, time }))).toEqual([{ name: 'exception', time: at + 100 }])
  expect(root!.links).toMatchObject([{ name: 'GET /chat/:room', kept: true, linkKind: 'handshake' }])

  const { connections } = await firstUpdate(viewer, 'view=connections')
  expect(connections!.rows).toMatchObject([
    {
      id: '00000000000000c1',
      state: 'closed',
      dropped: true,
      received: 2,
      sent: 1,
      bytesReceived: 77 + 96,
      bytesSent: 48,
      closeCode: 1009,
      closeCategory: 'too_big',
      closeInitiator: 'local',
    },
  ])

  const { metrics } = await firstUpdate(viewer, 'view=metrics')
  expect(metrics!.handlers.map(({ name, count, failed, p99 }) => ({ name, count, failed, p99 }))).toEqual([
    { name: 'order.place', count: 1, failed: 1, p99: expect.closeTo(0.0125, 3) },
    { name: 'chat.message', count: 1, failed: 0, p99: expect.closeTo(0.001, 4) },
  ])
  // Not the 25 ms that the bound of its bucket is.
  expect(metrics!.handlers[0]!.p99).toBeLessThanOrEqual(0.0125)
  const closes = metrics!.panels.find(({ id }) => id === 'closes')!
  expect(closes.series.map(({ label, values }) => [label, values.filter((value) => value !== null)])).toEqual([
    ['too_big', [1]],
  ])
  const active = metrics!.panels.find(({ id }) => id === 'active')!
  expect(active.series.map(({ label, values }) => [label, values.at(-1)])).toEqual([['/chat/:room', 0]])
  await chat.telemetry.shutdown()
})

test.each([JsonLogExporter, ProtobufLogExporter])('the log exporters reach it', async (Exporter) => {
  const exporter = new Exporter({ url: `${viewer.endpoint}/v1/logs` })
  const provider = new LoggerProvider({ processors: [new SimpleLogRecordProcessor({ exporter })] })
  const attributes = { 'websocket.connection.id': 'c1', nested: { user: 'ada' } }
  provider.getLogger('app').emit({ severityNumber: SeverityNumber.WARN, body: 'token expired', attributes })
  await provider.shutdown()
  const { logs, status } = await firstUpdate(viewer, 'view=logs')
  expect(status).toMatchObject({ logs: 1, refused: 0, invalid: 0 })
  expect(logs!.rows).toMatchObject([
    {
      level: 'warn',
      body: 'token expired',
      scope: 'app',
      connection: 'c1',
      attributes: expect.arrayContaining([['nested', '{"user":"ada"}']]),
    },
  ])
})
