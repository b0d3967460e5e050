import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startViewer, type Viewer } from '../src/index.ts'
import { call, firstUpdate, post, traceRequest } from './support/client.ts'

const maxBodyBytes = 64 * 1024
const maxInflatedBytes = 256 * 1024
let viewer: Viewer

beforeEach(async () => {
  viewer = await startViewer({ port: 0, maxBodyBytes, maxInflatedBytes })
})
afterEach(() => viewer.close())

async function status() {
  return (await firstUpdate(viewer, 'view=traces')).status
}

test('a JSON export is taken and answered with an empty object', async () => {
  const answer = await post(viewer, 'traces', traceRequest())
  expect(answer).toMatchObject({ status: 200, body: '{}' })
  expect(answer.headers['content-type']).toBe('application/json')
  expect(await status()).toMatchObject({ spans: 1, received: 1, refused: 0 })
})

test('a gzip body is inflated', async () => {
  const body = gzipSync(JSON.stringify(traceRequest()))
  expect(await post(viewer, 'traces', body, { 'content-encoding': 'gzip' })).toMatchObject({ status: 200 })
  expect(await status()).toMatchObject({ spans: 1 })
})

test('an empty request is a valid one', async () => {
  expect(await post(viewer, 'traces', {})).toMatchObject({ status: 200, body: '{}' })
  const protobuf = { 'content-type': 'application/x-protobuf' }
  expect(await post(viewer, 'metrics', new Uint8Array(0), protobuf)).toMatchObject({ status: 200, body: '' })
})

test('spans that are invalid are left out and counted, the others are kept', async () => {
  const request = traceRequest()
  const bad = [
    { traceId: 'nope' },
    { spanId: '0000000000000000' },
    { startTimeUnixNano: '0' },
    { endTimeUnixNano: 'x' },
  ]
  for (const span of bad) request.resourceSpans.push(...traceRequest(span).resourceSpans)
  const answer = await post(viewer, 'traces', request)
  expect(answer.status).toBe(200)
  expect(JSON.parse(answer.body)).toEqual({
    partialSuccess: { rejectedSpans: '4', errorMessage: 'a span without a valid trace id and span id' },
  })
  expect(await status()).toMatchObject({ spans: 1, invalid: 4 })
})

test.each([
  [
    'JSON that does not parse',
    '{"resourceSpans":[',
    'application/json',
    400,
    'the body is not a valid OTLP JSON traces request',
  ],
  ['JSON that is no object', '[]', 'application/json', 400, 'the body is not a valid OTLP JSON traces request'],
  [
    'JSON of another shape',
    '{"resourceSpans":{}}',
    'application/json',
    400,
    'the body is not an OTLP traces request: "resourceSpans" is not an array',
  ],
  [
    'another content type',
    'a=1',
    'text/plain',
    415,
    'content-type "text/plain" is not supported: send application/x-protobuf or application/json',
  ],
])('%s is refused with a reason', async (_, body, type, expected, message) => {
  const answer = await post(viewer, 'traces', body, { 'content-type': type })
  expect(answer.status).toBe(expected)
  expect(JSON.parse(answer.body)).toEqual({ code: 3, message })
  expect(await status()).toMatchObject({ spans: 0, refused: 1, refusal: message })
})

test('protobuf that is cut off is refused with a protobuf status', async () => {
  // Field 1, 100 bytes long, of which none are there.
  const answer = await post(viewer, 'traces', new Uint8Array([0x0a, 0x64]), {
    'content-type': 'application/x-protobuf',
  })
  expect(answer.status).toBe(400)
  expect(answer.headers['content-type']).toBe('application/x-protobuf')
  expect(answer.body).toContain('the body is not a valid OTLP protobuf traces request')
})

test('protobuf that nests without end is refused', async () => {
  // ArrayValue in AnyValue in ArrayValue …, inside an attribute of a resource.
  let nested = new Uint8Array(0)
  const wrap = (tag: number, body: Uint8Array) => {
    const length: number[] = []
    for (let rest = body.length; ; rest >>>= 7) {
      length.push(rest > 127 ? (rest & 127) | 128 : rest)
      if (rest <= 127) break
    }
    return new Uint8Array([tag, ...length, ...body])
  }
  for (let depth = 0; depth < 2000; depth++) nested = wrap(depth % 2 === 0 ? 0x0a : 0x2a, nested)
  const attribute = wrap(0x0a, wrap(0x12, nested))
  const answer = await post(viewer, 'traces', wrap(0x0a, wrap(0x0a, attribute)), {
    'content-type': 'application/x-protobuf',
  })
  expect(answer.status).toBe(400)
  expect(await post(viewer, 'traces', traceRequest())).toMatchObject({ status: 200 })
})

test('JSON values that nest without end are cut', async () => {
  let value: unknown = { stringValue: 'deep' }
  for (let depth = 0; depth < 1000; depth++) value = { arrayValue: { values: [value] } }
  const request = traceRequest({ traceId: 'c'.repeat(32), attributes: [{ key: 'nested', value }] })
  expect(await post(viewer, 'traces', request)).toMatchObject({ status: 200 })
  const { trace } = await firstUpdate(viewer, `view=traces&open=${'c'.repeat(32)}`)
  expect(trace?.spans[0]?.attributes).toEqual([['nested', '[[[["…"]]]]']])
})

test('an encoding other than gzip is refused', async () => {
  expect(await post(viewer, 'traces', '{}', { 'content-encoding': 'br' })).toMatchObject({ status: 415 })
})

test('a body that is not gzip though it says so is refused', async () => {
  expect(await post(viewer, 'traces', '{}', { 'content-encoding': 'gzip' })).toMatchObject({ status: 400 })
  const cut = gzipSync(JSON.stringify(traceRequest())).subarray(0, 40)
  expect(await post(viewer, 'traces', cut, { 'content-encoding': 'gzip' })).toMatchObject({ status: 400 })
})

test('a gzip bomb is refused before it is inflated', async () => {
  const bomb = gzipSync(Buffer.alloc(20 * 1024 * 1024))
  // Small enough that all of them may wait at once.
  expect(20 * bomb.length).toBeLessThan(8 * maxBodyBytes)
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => post(viewer, 'traces', bomb, { 'content-encoding': 'gzip' })),
  )
  expect(answers.map(({ status }) => status)).toEqual(new Array(20).fill(413))
  expect(await post(viewer, 'traces', traceRequest())).toMatchObject({ status: 200 })
})

test('a burst of valid exports is taken as a whole', async () => {
  const answers = await Promise.all(
    Array.from({ length: 60 }, () =>
      post(viewer, 'traces', gzipSync(JSON.stringify(traceRequest())), { 'content-encoding': 'gzip' }),
    ),
  )
  expect(answers.map(({ status }) => status)).toEqual(new Array(60).fill(200))
  expect(await status()).toMatchObject({ spans: 60 })
})

test('a body that is too large is refused, by its length or as it arrives', async () => {
  const body = Buffer.alloc(maxBodyBytes + 1, 0x20)
  expect(await post(viewer, 'traces', body)).toMatchObject({ status: 413 })
  const headers = { 'content-type': 'application/json' }
  expect(await call(viewer, '/v1/traces', { method: 'POST', headers, body, chunked: true })).toMatchObject({
    status: 413,
  })
})

/** Sends a request and looks for the answer only once everything is sent, or the connection is cut. */
function sendFirst(chunks: Iterable<Uint8Array | string>): Promise<{ sent: number; answer: string }> {
  return new Promise((resolve) => {
    let sent = 0
    let answer = ''
    const socket = connect(viewer.port, '127.0.0.1').pause()
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1')
    })
    socket.on('error', () => undefined)
    socket.on('close', () => resolve({ sent, answer }))
    const rest = chunks[Symbol.iterator]()
    const next = () => {
      const { done, value } = rest.next()
      if (done) return socket.resume()
      sent += value.length
      return socket.write(value, (error) => (error ? socket.resume() : next()))
    }
    next()
  })
}

const oversized =
  'POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nconnection: close\r\n'

test('a client that sends everything before it looks for the answer sees it too', async () => {
  const body = Buffer.alloc(4 * 1024 * 1024, 0x20)
  const sent = await sendFirst([`${oversized}content-length: ${body.length}\r\n\r\n`, body])
  expect(sent.answer).toMatch(/^HTTP\/1\.1 413 .*the body is larger than 65536 bytes/s)
  const size = body.length.toString(16)
  const chunked = [`${oversized}transfer-encoding: chunked\r\n\r\n${size}\r\n`, body, '\r\n0\r\n\r\n']
  expect((await sendFirst(chunked)).answer).toMatch(/^HTTP\/1\.1 413 /)
})

test('a body without end is cut off', async () => {
  function* endless() {
    yield `${oversized}transfer-encoding: chunked\r\n\r\n`
    const chunk = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(0x100000, 0x20), Buffer.from('\r\n')])
    for (;;) yield chunk
  }
  const { sent } = await sendFirst(endless())
  expect(sent).toBeGreaterThan(0x100000)
  expect(await status()).toMatchObject({ refused: 1 })
})

test('what is long is cut and what is many is counted', async () => {
  const traceId = 'd'.repeat(32)
  const attributes = Array.from({ length: 200 }, (_, index) => ({
    key: `key${index}`,
    value: { intValue: String(index) },
  }))
  await post(viewer, 'traces', traceRequest({ traceId, name: 'n'.repeat(5000), attributes, droppedAttributesCount: 3 }))
  const { trace } = await firstUpdate(viewer, `view=traces&open=${traceId}`)
  const span = trace!.spans[0]!
  expect(span.name).toBe(`${'n'.repeat(255)}…`)
  expect(span.attributes.length).toBe(128)
  expect(span.dropped).toBe(72 + 3)
})

test('a small body that would decode to a huge one is refused', async () => {
  const roomy = await startViewer({ port: 0 })
  const protobuf = { 'content-type': 'application/x-protobuf', 'content-encoding': 'gzip' }
  const json = { 'content-encoding': 'gzip' }
  // Two bytes each: two million empty ResourceSpans, and as many empty objects.
  const messages = gzipSync(Buffer.alloc(4_000_000, Uint8Array.of(0x0a, 0x00)))
  const objects = gzipSync(`{"resourceSpans":[${'{},'.repeat(2_000_000)}{}]}`)
  // One exponential histogram with twenty million buckets of a byte each.
  const length = (size: number) => [
    0x80 | (size & 127),
    0x80 | ((size >> 7) & 127),
    0x80 | ((size >> 14) & 127),
    size >> 21,
  ]
  let buckets = Buffer.alloc(20_000_000, 1)
  for (const tag of [0x12, 0x42, 0x0a, 0x52, 0x12, 0x12, 0x0a]) {
    buckets = Buffer.concat([Buffer.from([tag, ...length(buckets.length)]), buckets])
  }
  try {
    const answers = [
      await post(roomy, 'traces', messages, protobuf),
      await post(roomy, 'traces', objects, json),
      await post(roomy, 'metrics', gzipSync(buckets), protobuf),
    ]
    expect(answers.map(({ status }) => status)).toEqual([413, 413, 413])
    expect(answers[1]!.body).toContain('the body holds more than 1000000 values: export smaller batches')
  } finally {
    await roomy.close()
  }
})

test('a span that is all text is cut to what a page can show', async () => {
  const traceId = 'f'.repeat(32)
  const roomy = await startViewer({ port: 0 })
  const attributes = Array.from({ length: 100 }, (_, index) => ({
    key: `key${index}`,
    value: { stringValue: 'x'.repeat(5000) },
  }))
  const events = Array.from({ length: 10 }, () => ({ name: 'e', timeUnixNano: '1763721000000000000', attributes }))
  try {
    await post(roomy, 'traces', traceRequest({ traceId, attributes, events }))
    const { trace } = await firstUpdate(roomy, `view=traces&open=${traceId}`)
    const span = trace!.spans[0]!
    expect(span.attributes.length).toBe(32)
    expect(span.attributes[0]![1]).toHaveLength(4096)
    expect(span.events.map((event) => event.attributes.length)).toEqual(new Array(10).fill(0))
    expect(span.dropped).toBe(68 + 10 * 100)
  } finally {
    await roomy.close()
  }
})

test('attribute values of every type are read, and names of Object.prototype are names like any other', async () => {
  const traceId = 'e'.repeat(32)
  const attributes = [
    { key: 'text', value: { stringValue: '<script>alert(1)</script>' } },
    { key: 'flag', value: { boolValue: true } },
    { key: 'int', value: { intValue: '42' } },
    { key: 'large', value: { intValue: '9007199254740993' } },
    { key: 'double', value: { doubleValue: 0.5 } },
    { key: 'none', value: { doubleValue: 'NaN' } },
    { key: 'list', value: { arrayValue: { values: [{ intValue: 1 }, { stringValue: 'two' }] } } },
    { key: 'map', value: { kvlistValue: { values: [{ key: '__proto__', value: { boolValue: false } }] } } },
    { key: 'bytes', value: { bytesValue: 'AQI=' } },
    { key: '__proto__', value: { stringValue: 'polluted' } },
    { key: 'constructor', value: { stringValue: 'too' } },
  ]
  await post(viewer, 'traces', traceRequest({ traceId, attributes }))
  const { trace } = await firstUpdate(viewer, `view=traces&open=${traceId}`)
  expect(trace!.spans[0]!.attributes).toEqual([
    ['text', '<script>alert(1)</script>'],
    ['flag', true],
    ['int', 42],
    ['large', '9007199254740993'],
    ['double', 0.5],
    ['none', 'NaN'],
    ['list', '[1,"two"]'],
    ['map', '{"__proto__":false}'],
    ['bytes', 'AQI='],
    ['__proto__', 'polluted'],
    ['constructor', 'too'],
  ])
  expect(({} as Record<string, unknown>).polluted).toBeUndefined()
})

test('no bytes make it answer with a server error or fall over', async () => {
  const arbitrary = fc.record({
    signal: fc.constantFrom('traces' as const, 'metrics' as const),
    type: fc.constantFrom('application/json', 'application/x-protobuf'),
    encoding: fc.constantFrom('identity', 'gzip'),
    body: fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.json().map((json) => Buffer.from(json)),
    ),
  })
  await fc.assert(
    fc.asyncProperty(arbitrary, async ({ signal, type, encoding, body }) => {
      const answer = await post(viewer, signal, body, { 'content-type': type, 'content-encoding': encoding })
      expect([200, 400, 413]).toContain(answer.status)
    }),
    { numRuns: 300 },
  )
})

test('no OTLP-shaped JSON makes it answer with a server error', async () => {
  const leaf = fc.oneof(
    fc.anything({ maxDepth: 1 }),
    fc.constantFrom('1763721000000000000', 'a'.repeat(32), 'b'.repeat(16)),
  )
  const span = fc.dictionary(
    fc.constantFrom(
      'traceId',
      'spanId',
      'name',
      'kind',
      'startTimeUnixNano',
      'endTimeUnixNano',
      'attributes',
      'events',
      'links',
      'status',
    ),
    leaf,
  )
  const point = fc.dictionary(
    fc.constantFrom(
      'timeUnixNano',
      'asInt',
      'asDouble',
      'bucketCounts',
      'explicitBounds',
      'count',
      'scale',
      'positive',
      'attributes',
    ),
    leaf,
  )
  const metric = fc.dictionary(
    fc.constantFrom('name', 'unit', 'gauge', 'sum', 'histogram', 'exponentialHistogram'),
    fc.oneof(leaf, fc.record({ dataPoints: fc.array(point) }), fc.constant('a.metric')),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(span), fc.array(metric), async (spans, metrics) => {
      const safe = (value: unknown) =>
        JSON.stringify(value, (_, field) => (typeof field === 'bigint' ? String(field) : field))
      const traces = await post(viewer, 'traces', safe({ resourceSpans: [{ scopeSpans: [{ spans }] }] }))
      expect([200, 400]).toContain(traces.status)
      const points = await post(viewer, 'metrics', safe({ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] }))
      expect([200, 400]).toContain(points.status)
    }),
    { numRuns: 150 },
  )
  await firstUpdate(viewer, 'view=metrics')
})
