import { connect } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startViewer, type Viewer } from '../src/index.ts'
import type { Highlights } from '../src/wire.ts'
import { call, logsRequest, post, read, traceRequest } from './support/client.ts'

let viewer: Viewer

beforeEach(async () => {
  viewer = await startViewer({ port: 0 })
})
afterEach(() => viewer.close())

const text = (key: string, value: string) => ({ key, value: { stringValue: value } })
const connection = [text('websocket.connection.id', 'c1'), text('websocket.route', '/chat'), text('user.id', 'ada')]
const ids = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) }

test('programs ask the questions that the page asks', async () => {
  const status = { code: 2, message: 'boom' }
  await post(viewer, 'traces', traceRequest({ ...ids, name: 'process say', attributes: connection, status }))
  await post(viewer, 'logs', logsRequest(ids))
  expect(await read(viewer, 'traces?errors=1')).toMatchObject({
    matching: 1,
    rows: [{ name: 'process say', error: 'boom' }],
  })
  expect(await read(viewer, `traces/${ids.traceId}`)).toMatchObject({
    total: 1,
    failed: 1,
    logs: [{ body: 'token expired' }],
  })
  expect(await read(viewer, 'connections?q=user.id=ada')).toMatchObject({ rows: [{ id: 'c1', user: 'ada' }] })
  expect(await read(viewer, 'connections/c1')).toMatchObject({ row: { id: 'c1' }, marks: [{ name: 'process say' }] })
  expect(await read(viewer, 'sessions')).toMatchObject({ rows: [{ id: 'ada', connections: 1 }] })
  expect(await read(viewer, 'sessions/ada')).toMatchObject({ connections: [{ id: 'c1' }] })
  expect(await read(viewer, 'logs?level=warn')).toMatchObject({ rows: [{ body: 'token expired' }] })
  expect(await read(viewer, 'highlights')).toMatchObject({ failing: [{ name: 'process say', failed: 1 }] })
  expect(await read(viewer, 'metrics')).toMatchObject({ instruments: [] })
  expect(await read(viewer, 'status')).toMatchObject({ spans: 1, logs: 1, services: ['test'], routes: ['/chat'] })
  expect(await read(viewer, 'complete?view=traces&word=user')).toEqual(['user=', 'user.id='])
  expect(await read(viewer, 'complete?view=traces&word=-user.id=a')).toEqual(['-user.id=ada'])
})

test.each([
  'traces/unknown',
  'connections/unknown',
  'sessions/unknown',
  'traces/a/b',
  'export?trace=unknown',
  'nothing',
])('there is nothing at /api/%s', async (path) => {
  expect(await call(viewer, `/api/${path}`)).toMatchObject({ status: 404 })
})

test('the highlights follow search, service, route and time', async () => {
  const failing = { status: { code: 2 }, kind: 2 }
  await post(viewer, 'traces', traceRequest({ ...failing, name: 'GET /orders' }))
  await post(
    viewer,
    'traces',
    traceRequest({ ...failing, name: 'GET /users', attributes: [text('websocket.route', '/users')] }),
  )
  const failed = async (query: string) =>
    (await read<Highlights>(viewer, `highlights?${query}`)).failing.map(({ name }) => name).sort()
  expect(await failed('')).toEqual(['GET /orders', 'GET /users'])
  expect(await failed('q=orders')).toEqual(['GET /orders'])
  expect(await failed('route=/users')).toEqual(['GET /users'])
  expect(await failed('service=other')).toEqual([])
  expect(await failed('to=1000')).toEqual([])
  expect((await read<Highlights>(viewer, 'highlights?to=1000')).judged.operations).toBe(0)
})

test('operations of any service and kind of root span are judged, and nothing is where nothing came', async () => {
  expect(await read(viewer, 'highlights')).toMatchObject({
    failing: [],
    judged: { operations: 0, handshakes: 0, closes: 0, sends: 0, consumers: 0 },
  })
  for (let index = 0; index < 3; index++) {
    const endTimeUnixNano = '1763721003000000000'
    await post(viewer, 'traces', traceRequest({ name: 'GET /orders', kind: 2, endTimeUnixNano, status: { code: 2 } }))
  }
  expect(await read(viewer, 'highlights')).toMatchObject({
    slowest: [{ name: 'GET /orders', count: 3 }],
    failing: [{ name: 'GET /orders', failed: 3, count: 3 }],
  })
})

test('a slow consumer is named by its span or by an event of another span, else its route is', async () => {
  const seconds = BigInt(Math.floor(Date.now() / 1000))
  const gauge = (name: string, value: string) => ({
    name,
    gauge: {
      dataPoints: [
        { attributes: [text('websocket.route', '/chat')], timeUnixNano: `${seconds}000000000`, asInt: value },
      ],
    },
  })
  const metrics = [gauge('websocket.server.connection.slow', '1'), gauge('websocket.server.send.buffered', '13631488')]
  await post(viewer, 'metrics', { resourceMetrics: [{ scopeMetrics: [{ metrics }] }] })
  expect(await read(viewer, 'highlights')).toMatchObject({
    slowConsumers: [],
    slowRoutes: [{ route: '/chat', connections: 1, buffered: 13_631_488 }],
  })
  await post(viewer, 'traces', traceRequest({ name: 'send tick', attributes: connection }))
  const event = {
    name: 'websocket.connection.buffered',
    timeUnixNano: `${seconds}000000000`,
    attributes: [connection[0], { key: 'websocket.send.buffered', value: { intValue: '13631488' } }],
  }
  await post(viewer, 'traces', traceRequest({ name: 'slow consumers', events: [event] }))
  expect(await read(viewer, 'highlights')).toMatchObject({
    slowConsumers: [{ id: 'c1', user: 'ada', buffered: 13_631_488 }],
    slowRoutes: [],
  })
  expect(await read(viewer, 'connections?state=slow&sort=buffered')).toMatchObject({
    matching: 1,
    rows: [{ id: 'c1' }],
  })
})

test('messages that were not delivered are counted by metrics where the spans of them were sampled out', async () => {
  const seconds = BigInt(Math.floor(Date.now() / 1000))
  const point = (at: bigint, value: string) => ({
    attributes: [text('websocket.route', '/chat'), text('websocket.send.undelivered.reason', 'volatile')],
    startTimeUnixNano: `${seconds - 100n}000000000`,
    timeUnixNano: `${at}000000000`,
    asInt: value,
  })
  const sum = {
    aggregationTemporality: 2,
    isMonotonic: true,
    dataPoints: [point(seconds - 10n, '2'), point(seconds, '9')],
  }
  const metrics = [{ name: 'websocket.server.send.undelivered', sum }]
  await post(viewer, 'metrics', { resourceMetrics: [{ scopeMetrics: [{ metrics }] }] })
  const attributes = [...connection, text('websocket.send.undelivered.reason', 'volatile')]
  await post(viewer, 'traces', traceRequest({ name: 'send tick', attributes }))
  expect(await read(viewer, 'highlights')).toMatchObject({
    undelivered: { all: 7, what: [{ what: 'volatile', count: 7 }] },
    undeliveredByMetrics: true,
  })
  expect(await read(viewer, 'highlights?route=/other')).toMatchObject({
    undelivered: { all: 0 },
    undeliveredByMetrics: false,
  })
})

test('exemplars lead from a chart to the span in which a value was recorded', async () => {
  const seconds = BigInt(Math.floor(Date.now() / 1000))
  const exemplar = { asDouble: 0.8, timeUnixNano: `${seconds}000000000`, ...ids }
  const point = (at: bigint, count: string) => ({
    startTimeUnixNano: `${seconds - 100n}000000000`,
    timeUnixNano: `${at}000000000`,
    count,
    sum: 1,
    bucketCounts: [count, '0'],
    explicitBounds: [1],
    exemplars: [exemplar, { ...exemplar, traceId: '' }],
  })
  const histogram = { aggregationTemporality: 2, dataPoints: [point(seconds - 1n, '1'), point(seconds, '2')] }
  const metrics = [{ name: 'websocket.server.message.process.duration', unit: 's', histogram }]
  await post(viewer, 'metrics', { resourceMetrics: [{ scopeMetrics: [{ metrics }] }] })
  const { panels } = await read<{ panels: { id: string; exemplars: unknown[] }[] }>(viewer, 'metrics')
  // Once, though both points bring it, and without the one that leads nowhere.
  expect(panels.find(({ id }) => id === 'latency')?.exemplars).toEqual([{ time: Number(seconds), value: 0.8, ...ids }])
})

test('every request that is refused is counted and named', async () => {
  const json = { 'content-type': 'application/json' }
  await call(viewer, '/v1/traces/', { method: 'POST', headers: json, body: '{}' })
  await call(viewer, '/', { method: 'POST', headers: json, body: '{}' })
  await call(viewer, '/v1/traces', { method: 'POST', headers: { ...json, host: 'attacker.test' }, body: '{}' })
  await call(viewer, '/v1/traces', {
    method: 'POST',
    headers: { ...json, origin: 'https://attacker.test' },
    body: '{}',
  })
  await speak('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  await speak(Buffer.from([0x16, 0x03, 0x01, 0x00, 0x05, 0x01, 0x00, 0x00, 0x01, 0x00]))
  const { refused, refusals } = await read<{ refused: number; refusals: { what: string; count: number }[] }>(
    viewer,
    'status',
  )
  expect(refused).toBe(5)
  expect(refusals.map(({ what }) => what)).toEqual([
    'POST /v1/traces/: exports go to /v1/traces, /v1/metrics, /v1/logs',
    'host attacker.test is not known: start with --allow-host attacker.test',
    'origin https://attacker.test is not known: start with --allow-origin https://attacker.test',
    'gRPC (HTTP/2) on the HTTP port: use the gRPC port, or set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf',
    'TLS on the HTTP port: use http://, not https://',
  ])
})

/** Sends bytes to the HTTP port and waits until the viewer has ended the connection. */
function speak(bytes: string | Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(viewer.port, '127.0.0.1', () => socket.write(bytes))
    socket.resume().once('close', () => resolve())
    socket.once('error', reject)
  })
}

test('pages on this machine may send the headers that exporters send', async () => {
  const asked = 'authorization, content-type, traceparent, x-api-key'
  const answer = await call(viewer, '/v1/logs', {
    method: 'OPTIONS',
    headers: { origin: 'http://localhost:3000', 'access-control-request-headers': asked },
  })
  expect(answer).toMatchObject({ status: 204, headers: { 'access-control-allow-headers': asked } })
})

test('with a token nothing is taken or answered without it', async () => {
  const guarded = await startViewer({ port: 0, token: 'secret' })
  try {
    const bearer = { authorization: 'Bearer secret' }
    expect(await post(guarded, 'traces', traceRequest())).toMatchObject({ status: 401 })
    expect(await post(guarded, 'traces', traceRequest(), { authorization: 'Bearer wrong' })).toMatchObject({
      status: 401,
    })
    expect(await post(guarded, 'traces', traceRequest(), bearer)).toMatchObject({ status: 200 })
    expect(await call(guarded, '/api/traces')).toMatchObject({ status: 401 })
    expect(await call(guarded, '/api/traces', { headers: bearer })).toMatchObject({ status: 200 })
    expect(await call(guarded, '/')).toMatchObject({ status: 401 })
    expect(await call(guarded, '/?token=wrong')).toMatchObject({ status: 401 })
    const host = `127.0.0.1:${guarded.port}`
    const let_in = await call(guarded, '/?token=secret', { headers: { host } })
    expect(let_in).toMatchObject({ status: 303, headers: { location: '/' } })
    const [cookie = ''] = let_in.headers['set-cookie'] ?? []
    expect(cookie).toContain('HttpOnly; SameSite=Strict')
    expect(await call(guarded, '/', { headers: { host, cookie: cookie.split(';')[0]! } })).toMatchObject({
      status: 200,
    })
    expect(guarded.openUrl).toBe(`${guarded.url}/?token=secret`)
  } finally {
    await guarded.close()
  }
})

test('an address other than this machine has a token without being asked for one', async () => {
  const everywhere = await startViewer({ port: 0, host: '0.0.0.0' })
  expect(everywhere.token).toMatch(/^[0-9a-f]{32}$/)
  expect(await call(everywhere, '/api/status')).toMatchObject({ status: 401 })
  await everywhere.close()
  expect(viewer.token).toBeUndefined()
})

test('what is exported is read again, also by another viewer: a trace, a connection, everything', async () => {
  const span = {
    ...ids,
    name: 'process say',
    kind: 5,
    parentSpanId: 'c'.repeat(16),
    attributes: [...connection, { key: 'size', value: { intValue: '12' } }, { key: 'ok', value: { boolValue: true } }],
    events: [{ name: 'exception', timeUnixNano: '1763721000001000000', attributes: [text('exception.message', 'no')] }],
    links: [
      { traceId: 'd'.repeat(32), spanId: 'e'.repeat(16), attributes: [text('websocket.link.kind', 'handshake')] },
    ],
    status: { code: 2, message: 'boom' },
  }
  const point = { asDouble: 3, timeUnixNano: '1763721000000000000', attributes: [text('websocket.route', '/chat')] }
  await post(viewer, 'traces', traceRequest(span))
  await post(viewer, 'logs', logsRequest(ids))
  await post(viewer, 'metrics', {
    resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'level', gauge: { dataPoints: [point] } }] }] }],
  })
  const other = await startViewer({ port: 0 })
  try {
    for (const query of [`trace=${ids.traceId}`, 'connection=c1', '']) {
      await call(other, '/api/clear', { method: 'POST' })
      const { body, status } = await call(viewer, `/api/export?${query}`)
      expect(status).toBe(200)
      expect((await call(other, '/api/import', { method: 'POST', body })).status).toBe(200)
      const detail = await read(other, `traces/${ids.traceId}`)
      expect(detail).toEqual({ ...(await read(viewer, `traces/${ids.traceId}`)), logs: detail.logs })
      expect(await read(other, 'logs')).toMatchObject({ rows: [{ body: 'token expired', level: 'warn', ...ids }] })
    }
    expect(await read(other, 'metrics')).toMatchObject({ instruments: [{ name: 'level', kind: 'gauge' }] })
    // As people indent it, and as a Collector writes it: one object a line.
    const indented = JSON.stringify(traceRequest(), undefined, 2)
    const lines = `${JSON.stringify(traceRequest())}\n\n${JSON.stringify(logsRequest())}\n`
    for (const body of [indented, lines]) {
      expect(await call(other, '/api/import', { method: 'POST', body })).toMatchObject({ status: 200 })
    }
    for (const body of ['nonsense', '{"other":1}', '{"resourceSpans":[', '[]']) {
      expect(await call(other, '/api/import', { method: 'POST', body })).toMatchObject({ status: 400 })
    }
  } finally {
    await other.close()
  }
})

test('two traces of one name are compared, place by place', async () => {
  const at = (ms: number) => `1763721${String(ms).padStart(6, '0')}000000`
  const trace = (id: string, query: number, more: Record<string, unknown>[] = []) => {
    const spans = [
      { spanId: '1'.repeat(16), name: 'GET /orders', startTimeUnixNano: at(0), endTimeUnixNano: at(query + 10) },
      {
        spanId: '2'.repeat(16),
        parentSpanId: '1'.repeat(16),
        name: 'SELECT',
        startTimeUnixNano: at(5),
        endTimeUnixNano: at(5 + query),
      },
      ...more,
    ]
    return { resourceSpans: [{ scopeSpans: [{ spans: spans.map((span) => ({ traceId: id.repeat(32), ...span })) }] }] }
  }
  const further = {
    spanId: '3'.repeat(16),
    parentSpanId: '1'.repeat(16),
    name: 'GET cache',
    startTimeUnixNano: at(1),
    endTimeUnixNano: at(2),
  }
  await post(viewer, 'traces', trace('a', 500, [further]))
  await post(viewer, 'traces', trace('b', 20))
  const { rows, a, b } = await read<{ rows: Record<string, unknown>[]; a: unknown; b: unknown }>(
    viewer,
    `traces/${'a'.repeat(32)}?against=-`,
  )
  expect([a, b]).toMatchObject([{ duration: 510 }, { duration: 30 }])
  expect(
    rows.map(({ name, depth, countA, countB, durationA, durationB }) => [
      name,
      depth,
      countA,
      countB,
      durationA,
      durationB,
    ]),
  ).toEqual([
    ['GET /orders', 0, 1, 1, 510, 30],
    ['GET cache', 1, 1, 0, 1, 0],
    ['SELECT', 1, 1, 1, 500, 20],
  ])
})
