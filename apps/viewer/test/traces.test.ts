import { expect, test } from 'vitest'
import type { Span } from '../src/model.ts'
import type { TraceFilter } from '../src/query/filter.ts'
import { traceDetail } from '../src/query/trace-detail.ts'
import { listTraces } from '../src/query/trace-list.ts'
import type { Store } from '../src/store/store.ts'
import { span, spanId, storeWith, traceId } from './support/spans.ts'

const everything: TraceFilter = { text: '', service: '', route: '', connection: '', errors: false, minDuration: 0 }

function names(store: Store, filter: Partial<TraceFilter>, sort: 'newest' | 'slowest' = 'newest'): string[] {
  return listTraces(store.traces, { ...everything, ...filter }, sort, 100).rows.map((row) => row.name)
}

function linkTo(target: Span) {
  return [
    { traceId: target.traceId, spanId: target.spanId, attributes: [['websocket.link.kind', 'handshake']] as const },
  ]
}

test('when it is full the trace that waited longest goes, as a whole, and is counted', () => {
  const store = storeWith({ maxSpans: 4 })
  store.addSpans([span({ traceId: traceId(1), name: 'a' }), span({ traceId: traceId(2), name: 'b' })], 0)
  store.addSpans([span({ traceId: traceId(1), name: 'a2' }), span({ traceId: traceId(3), name: 'c' })], 0)
  store.addSpans([span({ traceId: traceId(4), name: 'd' })], 0)
  expect(store.traces.get(traceId(2))).toBeUndefined()
  expect(store.counts()).toMatchObject({ spans: 4, received: 5, dropped: 1, traces: 3 })
  store.addSpans([span({ traceId: traceId(5), name: 'e' })], 0)
  expect(store.traces.get(traceId(1))).toBeUndefined()
  expect(store.counts()).toMatchObject({ spans: 3, received: 6, dropped: 3, traces: 3 })
})

test('bytes are a limit too, and are back at zero when everything has gone', () => {
  const store = storeWith({ maxBytes: 40_000 })
  const large = (number: number) => span({ traceId: traceId(number), attributes: { text: 'x'.repeat(2000) } })
  for (let number = 0; number < 50; number++) store.addSpans([large(number)], 0)
  expect(store.traces.bytes).toBeLessThanOrEqual(40_000)
  expect(store.counts().spans).toBe(8)
  expect(store.counts().dropped).toBe(42)
  store.clear()
  expect(store.traces.bytes).toBe(0)
  expect(store.counts()).toMatchObject({ spans: 0, received: 0, dropped: 0 })
})

test('resources are counted once, as long as a span has them', () => {
  const resource = { service: 's', instance: '1', attributes: [['text', 'x'.repeat(5000)]] as const }
  const store = storeWith()
  store.addSpans([span({ traceId: traceId(1), resource })], 0)
  const one = store.traces.bytes
  store.addSpans([span({ traceId: traceId(2), resource })], 0)
  expect(one).toBeGreaterThan(10_000)
  expect(store.traces.bytes - one).toBeLessThan(1000)
  const small = storeWith({ maxBytes: 50_000 })
  for (let index = 0; index < 100; index++) small.addSpans([span({ resource: { ...resource } })], 0)
  expect(small.traces.bytes).toBeLessThanOrEqual(50_000)
  expect(small.counts().spans).toBe(4)
})

test('one trace cannot push out all others', () => {
  const store = storeWith({ maxSpans: 100, maxSpansPerTrace: 10 })
  store.addSpans([span({ name: 'other' })], 0)
  store.addSpans(
    Array.from({ length: 500 }, () => span({ traceId: traceId(1) })),
    0,
  )
  expect(names(store, { text: 'other' })).toEqual(['other'])
  expect(store.counts()).toMatchObject({ spans: 11, received: 501, dropped: 490 })
  expect(traceDetail(store.traces, traceId(1))?.omitted).toBe(490)
})

test('a span that is exported twice is kept once', () => {
  const store = storeWith()
  const twice = span({ error: true })
  store.addSpans([twice, twice], 0)
  expect(store.counts()).toMatchObject({ spans: 1, received: 1, dropped: 0 })
  expect(store.traces.get(twice.traceId)?.errors).toBe(1)
})

test('links are followed both ways, while both ends are kept', () => {
  const store = storeWith({ maxSpans: 3 })
  const handshake = span({ name: 'GET /chat' })
  const message = span({ name: 'process a', links: linkTo(handshake) })
  store.addSpans([handshake, message], 0)
  const reference = { linkKind: 'handshake', kept: true, service: 'chat' }
  expect(traceDetail(store.traces, message.traceId)?.spans[0]?.links).toMatchObject([
    { ...reference, name: 'GET /chat', traceId: handshake.traceId, spanId: handshake.spanId },
  ])
  expect(traceDetail(store.traces, handshake.traceId)?.spans[0]).toMatchObject({
    linkedFromCount: 1,
    linkedFrom: [{ ...reference, name: 'process a', traceId: message.traceId, spanId: message.spanId }],
  })
  // Two more: the handshake goes first, then the message.
  store.addSpans([span(), span()], 0)
  expect(traceDetail(store.traces, handshake.traceId)).toBeNull()
  expect(traceDetail(store.traces, message.traceId)?.spans[0]?.links).toMatchObject([{ kept: false, name: '' }])
  store.addSpans([span()], 0)
  expect(store.traces.linksTo(handshake.traceId, handshake.spanId)).toBeUndefined()
})

test('the waterfall puts parents above children and siblings by start, also across services', () => {
  const store = storeWith()
  const id = traceId(7)
  const parts = { traceId: id, start: 1000 }
  store.addSpans(
    [
      span({ ...parts, spanId: spanId(3), parentSpanId: spanId(1), name: 'second', start: 1003 }),
      span({
        ...parts,
        spanId: spanId(4),
        parentSpanId: spanId(2),
        name: 'below first',
        start: 1004,
        service: 'node-2',
      }),
      span({ ...parts, spanId: spanId(2), parentSpanId: spanId(1), name: 'first', start: 1002 }),
      span({ ...parts, spanId: spanId(1), name: 'root', start: 1001 }),
      span({ ...parts, spanId: spanId(5), parentSpanId: spanId(99), name: 'parent not here', start: 1000 }),
    ],
    0,
  )
  const detail = traceDetail(store.traces, id)!
  expect(detail.spans.map(({ name }, index) => [detail.depths[index], name])).toEqual([
    [0, 'parent not here'],
    [0, 'root'],
    [1, 'first'],
    [2, 'below first'],
    [1, 'second'],
  ])
  expect(listTraces(store.traces, everything, 'newest', 10).rows[0]).toMatchObject({
    name: 'root',
    spans: 5,
    services: ['chat', 'node-2'],
  })
})

test('spans whose parents form a ring or a chain of any length are shown once each', () => {
  const store = storeWith({ maxSpansPerTrace: 1000 })
  const ring = [1, 2, 3].map((number) =>
    span({ traceId: traceId(1), spanId: spanId(number), parentSpanId: spanId((number % 3) + 1) }),
  )
  const chain = Array.from({ length: 900 }, (_, number) =>
    span({ traceId: traceId(2), spanId: spanId(number + 1), parentSpanId: number === 0 ? '' : spanId(number) }),
  )
  const own = span({ traceId: traceId(3), spanId: spanId(1), parentSpanId: spanId(1) })
  store.addSpans([...ring, ...chain, own], 0)
  expect(traceDetail(store.traces, traceId(1))?.spans.length).toBe(3)
  expect(traceDetail(store.traces, traceId(2))?.depths.at(-1)).toBe(899)
  expect(traceDetail(store.traces, traceId(3))?.spans.length).toBe(1)
})

test('traces are found by name, attribute, route, connection, service, error and duration', () => {
  const store = storeWith()
  const route = { 'websocket.route': '/chat' }
  store.addSpans(
    [
      span({ name: 'process chat.send', attributes: { ...route, 'websocket.connection.id': 'c1' }, duration: 3 }),
      span({ name: 'process chat.slow', attributes: route, duration: 800 }),
      span({ name: 'GET /login', attributes: { 'http.response.status_code': 401 }, error: true, service: 'auth' }),
    ],
    0,
  )
  expect(names(store, {})).toEqual(['GET /login', 'process chat.slow', 'process chat.send'])
  expect(names(store, {}, 'slowest')).toEqual(['process chat.slow', 'GET /login', 'process chat.send'])
  expect(names(store, { text: 'CHAT slow' })).toEqual(['process chat.slow'])
  expect(names(store, { text: 'http.response.status_code=401' })).toEqual(['GET /login'])
  expect(names(store, { text: 'http.response.status_code=40' })).toEqual([])
  expect(names(store, { route: '/chat' })).toEqual(['process chat.slow', 'process chat.send'])
  expect(names(store, { connection: 'c1' })).toEqual(['process chat.send'])
  expect(names(store, { text: 'c1' })).toEqual(['process chat.send'])
  expect(names(store, { service: 'auth' })).toEqual(['GET /login'])
  expect(names(store, { errors: true })).toEqual(['GET /login'])
  expect(names(store, { minDuration: 100 })).toEqual(['process chat.slow'])
  const { matching, total, routes, services } = listTraces(store.traces, { ...everything, route: '/chat' }, 'newest', 1)
  expect({ matching, total, routes, services }).toEqual({
    matching: 2,
    total: 3,
    routes: ['/chat'],
    services: ['auth', 'chat'],
  })
})

test('the list says what went wrong, also where it is no error of the server', () => {
  const store = storeWith()
  const outcome = (value: string, status: number) => ({
    'websocket.handshake.outcome': value,
    'http.response.status_code': status,
  })
  const close = (category: string, code: number) => ({
    'websocket.connection.id': 'c1',
    'websocket.close.category': category,
    'websocket.close.code': code,
  })
  store.addSpans(
    [
      span({ attributes: outcome('accepted', 101) }),
      span({ attributes: outcome('rejected', 401) }),
      span({ attributes: { 'websocket.handshake.outcome': 'abandoned' } }),
      span({ attributes: close('normal', 1000) }),
      span({ attributes: close('timeout', 1006) }),
      span({ error: true, statusMessage: 'late' }),
      span({ error: true, statusMessage: 'late', attributes: { 'error.type': 'TypeError' } }),
    ],
    0,
  )
  const { rows } = listTraces(store.traces, everything, 'newest', 10)
  expect(rows.map(({ error }) => error).reverse()).toEqual([
    '',
    'rejected 401',
    'abandoned',
    '',
    'timeout 1006',
    'late',
    'TypeError',
  ])
})

test('a handshake that is rejected within another says so for their trace', () => {
  const store = storeWith()
  const engine = span({
    name: 'GET /socket.io',
    kind: 'server',
    attributes: { 'websocket.handshake.outcome': 'accepted' },
  })
  const namespace = span({
    traceId: engine.traceId,
    parentSpanId: engine.spanId,
    name: 'CONNECT /',
    attributes: { 'websocket.handshake.outcome': 'rejected', 'error.type': 'Error' },
  })
  store.addSpans([engine, namespace], 0)
  expect(listTraces(store.traces, everything, 'newest', 10).rows).toMatchObject([
    { name: 'GET /socket.io', error: 'rejected' },
  ])
  expect(store.highlights.rejected).toEqual({ all: 1, what: [{ what: 'CONNECT /: Error', count: 1 }] })
})

test('a trace says of how many processes its spans are', () => {
  const store = storeWith()
  const node = (instance: string) => ({ service: 'chat', instance, attributes: [] })
  const first = span({ resource: node('node-1') })
  const others = ['node-2', 'node-1', 'node-3'].map((instance) =>
    span({ traceId: first.traceId, resource: node(instance) }),
  )
  store.addSpans([first, ...others], 0)
  expect(listTraces(store.traces, everything, 'newest', 10).rows).toMatchObject([{ services: ['chat'], nodes: 3 }])
  expect(
    traceDetail(store.traces, first.traceId)!
      .spans.map(({ instance }) => instance)
      .sort(),
  ).toEqual(['node-1', 'node-1', 'node-2', 'node-3'])
})

test('highlights name the slowest and the failing handler, rejections and drops', () => {
  const store = storeWith({ maxSpans: 30 })
  const message = (id: string) => ({ 'websocket.connection.id': id, 'websocket.route': '/chat' })
  const rejected = { ...message('c0'), 'websocket.handshake.outcome': 'rejected', 'http.response.status_code': 401 }
  const closed = (id: string, category: string, code: number) =>
    span({
      name: 'close /chat',
      attributes: { ...message(id), 'websocket.close.category': category, 'websocket.close.code': code },
    })
  const failed = (name: string, error: string) =>
    span({ name, attributes: { ...message('c1'), 'error.type': error }, error: true })
  store.addSpans(
    [
      span({ name: 'process fast', attributes: message('c1'), duration: 1 }),
      span({ name: 'process slow', attributes: message('c1'), duration: 1000 }),
      span({ name: 'process slower', attributes: message('c1'), duration: 3000 }),
      failed('process bad', 'TypeError'),
      failed('process bad', 'Refused'),
      failed('process bad', 'TypeError'),
      failed('process worse', 'RangeError'),
      span({ name: 'process bad', attributes: message('c1') }),
      span({ name: 'GET /chat', attributes: rejected, error: true }),
      closed('c1', 'timeout', 1006),
      closed('c2', 'normal', 1000),
      closed('c3', 'timeout', 1006),
      closed('c4', 'too_big', 1009),
    ],
    0,
  )
  const { slowest, ...rest } = store.highlights
  expect(slowest.map(({ name, count }) => [name, count])).toEqual([
    ['process slower', 1],
    ['process slow', 1],
  ])
  expect(slowest[1]!.p95).toBeGreaterThan(900)
  expect(slowest[1]!.p95).toBeLessThan(1100)
  expect(rest).toEqual({
    failing: [
      {
        name: 'process bad',
        service: 'chat',
        ofClient: false,
        failed: 3,
        count: 4,
        errors: [
          { what: 'TypeError', count: 2 },
          { what: 'Refused', count: 1 },
        ],
      },
      {
        name: 'process worse',
        service: 'chat',
        ofClient: false,
        failed: 1,
        count: 1,
        errors: [{ what: 'RangeError', count: 1 }],
      },
    ],
    rejected: { all: 1, what: [{ what: '401 /chat', count: 1 }] },
    dropped: {
      all: 3,
      what: [
        { what: 'timeout (1006)', count: 2 },
        { what: 'too_big (1009)', count: 1 },
      ],
    },
    undelivered: { all: 0, what: [] },
    slowConsumers: [],
    slowConsumerCount: 0,
    judged: { operations: 8, handshakes: 1, closes: 4, sends: 0, consumers: 0 },
  })
})

test('highlights forget the spans that are not kept, and keep what is known of connections', () => {
  const store = storeWith({ maxSpans: 4 })
  const message = { 'websocket.connection.id': 'c1', 'websocket.route': '/chat' }
  store.addSpans(
    [
      span({
        name: 'process slow',
        attributes: { ...message, 'error.type': 'TypeError' },
        duration: 1000,
        error: true,
      }),
      span({ attributes: { 'websocket.handshake.outcome': 'rejected', 'http.response.status_code': 401 } }),
      span({ name: 'close /chat', attributes: { ...message, 'websocket.close.category': 'timeout' } }),
    ],
    0,
  )
  expect(store.highlights).toMatchObject({ slowest: [{}], failing: [{}], rejected: { all: 1 }, dropped: { all: 1 } })
  store.addSpans(
    Array.from({ length: 4 }, () => span()),
    0,
  )
  expect(store.highlights).toEqual({
    slowest: [],
    failing: [],
    rejected: { all: 0, what: [] },
    dropped: { all: 1, what: [{ what: 'timeout', count: 1 }] },
    undelivered: { all: 0, what: [] },
    slowConsumers: [],
    slowConsumerCount: 0,
    judged: { operations: 4, handshakes: 0, closes: 1, sends: 0, consumers: 0 },
  })
})

test('what clients record is not mixed with what servers record', () => {
  const store = storeWith()
  const scope = '@otel-ws/client'
  const message = { 'websocket.connection.id': 'c1', 'websocket.route': '/chat' }
  const rejected = {
    'websocket.handshake.outcome': 'rejected',
    'http.response.status_code': 401,
    'websocket.route': '/chat',
  }
  store.addSpans(
    [
      span({ name: 'process said', attributes: message, duration: 1000 }),
      span({ scope, name: 'process said', attributes: message, duration: 3000 }),
      span({ scope, name: 'connect /chat', kind: 'client', attributes: rejected }),
    ],
    0,
  )
  expect(store.highlights.slowest.map(({ name, ofClient, count }) => [name, ofClient, count])).toEqual([
    ['process said', true, 1],
    ['process said', false, 1],
  ])
  // A server that records nothing itself: its clients do.
  expect(store.highlights.rejected).toEqual({ all: 1, what: [{ what: '401 /chat', count: 1 }] })
  store.addSpans([span({ name: 'GET /chat', kind: 'server', attributes: rejected })], 0)
  expect(store.highlights.rejected).toEqual({ all: 1, what: [{ what: '401 /chat', count: 1 }] })
})
