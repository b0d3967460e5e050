import { expect, test } from 'vitest'
import type { Span } from '../src/model.ts'
import { connectionDetail } from '../src/query/connection-detail.ts'
import { type ConnectionFilter, connectionRow, listConnections } from '../src/query/connection-list.ts'
import type { Store } from '../src/store/store.ts'
import { span, storeWith } from './support/spans.ts'

const start = 1_763_721_000_000
const nothingKnown = () => ({ rtt: null, buffered: null })

/** The spans of one connection, as the schema has them. */
function of(id: string) {
  const common = { 'websocket.connection.id': id, 'websocket.route': '/chat/:room' }
  const at = (ms: number) => start + ms
  return {
    handshake: (outcome = 'accepted', status = 101) =>
      span({
        name: 'GET /chat/:room',
        kind: 'server',
        start: at(0),
        duration: 2,
        error: status >= 400,
        attributes: {
          ...common,
          'websocket.handshake.outcome': outcome,
          'http.response.status_code': status,
          'client.address': '10.0.0.7',
          'client.port': 5000,
          ...(status >= 400 && { 'error.type': String(status) }),
        },
      }),
    process: (ms: number, sequence: number, size: number, more = {}) =>
      span({
        name: 'process chat.message',
        kind: 'consumer',
        start: at(ms),
        attributes: { ...common, 'websocket.message.sequence': sequence, 'websocket.message.size': size, ...more },
      }),
    send: (ms: number, sequence: number, size: number, service = 'chat') =>
      span({
        name: 'send chat.reply',
        kind: 'producer',
        start: at(ms),
        service,
        attributes: { ...common, 'websocket.message.sequence': sequence, 'websocket.message.size': size },
      }),
    close: (ms: number, category: string, code: number) =>
      span({
        name: 'close /chat/:room',
        start: at(ms),
        duration: 0,
        attributes: {
          ...common,
          'websocket.close.category': category,
          'websocket.close.code': code,
          'websocket.close.initiator': 'remote',
          'websocket.close.reason': 'bye',
          'websocket.connection.duration': (ms - 2) / 1000,
          'websocket.connection.messages.received': 40,
          'websocket.connection.messages.sent': 50,
          'websocket.connection.bytes.received': 4000,
          'websocket.connection.bytes.sent': 5000,
        },
      }),
  }
}

function row(store: Store, id: string) {
  return connectionRow(store.connections.get(id)!, nothingKnown)
}

test('while it is open a connection shows what its sampled messages say', () => {
  const store = storeWith()
  const a = of('a')
  // Sequence 7 follows 3: what was between was not sampled, but counted.
  store.addSpans([a.handshake(), a.process(10, 3, 100), a.process(20, 7, 50), a.send(21, 9, 20)], 0)
  expect(row(store, 'a')).toMatchObject({
    state: 'open',
    route: '/chat/:room',
    peer: '10.0.0.7:5000',
    opened: start + 2,
    openedSeen: true,
    received: 7,
    sent: 9,
    bytesReceived: 150,
    bytesSent: 20,
    rtt: null,
    buffered: null,
  })
})

test('once it is closed the close record stands, also for messages that are recorded later', () => {
  const store = storeWith()
  const a = of('a')
  store.addSpans([a.handshake(), a.close(1000, 'timeout', 1006), a.process(900, 60, 100)], 0)
  expect(row(store, 'a')).toMatchObject({
    state: 'closed',
    dropped: true,
    closed: start + 1000,
    received: 40,
    sent: 50,
    bytesReceived: 4000,
    bytesSent: 5000,
    closeCode: 1006,
    closeCategory: 'timeout',
    closeInitiator: 'remote',
    closeReason: 'bye',
  })
})

test('a connection whose handshake was not seen takes its start from the close record', () => {
  const store = storeWith()
  const a = of('a')
  store.addSpans([a.process(500, 5, 10)], 0)
  expect(row(store, 'a')).toMatchObject({ opened: start + 500, openedSeen: false, state: 'open' })
  store.addSpans([a.close(1000, 'normal', 1000)], 0)
  expect(row(store, 'a')).toMatchObject({ opened: start + 2, openedSeen: true, state: 'closed', dropped: false })
})

test('a segment of a connection span does not close the connection, the last one does', () => {
  const store = storeWith()
  const attributes = { 'websocket.connection.id': 'a', 'websocket.route': '/chat' }
  store.addSpans([span({ name: 'connection /chat', kind: 'server', attributes })], 0)
  expect(row(store, 'a').state).toBe('open')
  const closing = { ...attributes, 'websocket.close.category': 'going_away', 'websocket.close.code': 1001 }
  store.addSpans([span({ name: 'connection /chat', kind: 'server', attributes: closing })], 0)
  expect(row(store, 'a')).toMatchObject({ state: 'closed', closeCategory: 'going_away', dropped: false })
})

test('rejected and abandoned handshakes are connections that never opened', () => {
  const store = storeWith()
  store.addSpans([of('r').handshake('rejected', 401), of('x').handshake('abandoned', 0)], 0)
  expect(row(store, 'r')).toMatchObject({ state: 'rejected', status: 401, errorType: '401', errors: 1 })
  expect(row(store, 'x')).toMatchObject({ state: 'abandoned', errors: 0 })
})

test('last RTT and buffered bytes are shown where a span carries them', () => {
  const store = storeWith()
  const more = { 'websocket.ping.rtt': 0.012, 'websocket.send.buffered': 2048 }
  store.addSpans([of('a').process(10, 1, 10, more), of('a').process(20, 2, 10)], 0)
  expect(row(store, 'a')).toMatchObject({ rtt: 0.012, buffered: 2048 })
})

test('the other end may record its side under the same id: it is drawn, and counted once', () => {
  const store = storeWith()
  const a = of('a')
  store.addSpans([a.handshake(), a.process(10, 1, 100), a.send(9, 1, 100, 'browser')], 0)
  expect(row(store, 'a')).toMatchObject({ service: 'chat', received: 1, sent: 0 })
  const { marks } = connectionDetail(store.connections, store.traces, 'a', 0, nothingKnown)!
  expect(marks.map(({ operation, peer }) => [operation, peer])).toEqual([
    ['handshake', false],
    ['process', false],
    ['send', true],
  ])
})

/** What a client records of the connection, from the same process as its server. */
function ofClient(id: string) {
  const common = { 'websocket.connection.id': id, 'websocket.route': '/chat/:room' }
  const recorded = (name: string, at: number, attributes = {}, more: Partial<Parameters<typeof span>[0]> = {}) =>
    span({ scope: '@otel-ws/client', name, start: start + at, attributes: { ...common, ...attributes }, ...more })
  return {
    connect: (links: Span['links'] = []) =>
      recorded('connect /chat/:room', -5, { 'websocket.handshake.outcome': 'accepted' }, { kind: 'client', links }),
    process: (at: number, sequence: number) => recorded('process said', at, { 'websocket.message.sequence': sequence }),
    close: (at: number) =>
      recorded('close /chat/:room', at, {
        'websocket.close.category': 'going_away',
        'websocket.close.code': 1001,
        'websocket.connection.messages.received': 50,
        'websocket.connection.messages.sent': 40,
      }),
  }
}

test('a client in the process of its server is the other end too, whichever end is recorded first', () => {
  const server = of('a')
  const client = ofClient('a')
  const clients = [client.connect(), client.process(30, 50), client.close(1001)]
  const servers = [server.handshake(), server.process(10, 40, 100), server.close(1000, 'timeout', 1006)]
  for (const spans of [
    [...clients, ...servers],
    [...servers, ...clients],
    [clients[0]!, ...servers, ...clients.slice(1)],
  ]) {
    const store = storeWith()
    store.addSpans(spans, 0)
    expect(row(store, 'a')).toMatchObject({
      ofClient: false,
      state: 'closed',
      peer: '10.0.0.7:5000',
      status: 101,
      opened: start + 2,
      received: 40,
      sent: 50,
      closeCategory: 'timeout',
      closeCode: 1006,
    })
    const { marks } = connectionDetail(store.connections, store.traces, 'a', 0, nothingKnown)!
    expect(marks.filter(({ peer }) => peer).map(({ operation }) => operation)).toEqual(['connect', 'process', 'close'])
  }
})

test('a connection that only the client records is shown as the client records it', () => {
  const store = storeWith()
  const client = ofClient('a')
  store.addSpans([client.connect(), client.process(30, 7), client.close(1000)], 0)
  expect(row(store, 'a')).toMatchObject({ ofClient: true, state: 'closed', received: 50, sent: 40, dropped: false })
  const { marks } = connectionDetail(store.connections, store.traces, 'a', 0, nothingKnown)!
  expect(marks.map(({ operation, peer }) => [operation, peer])).toEqual([
    ['connect', false],
    ['process', false],
    ['close', false],
  ])
})

test('a connection leads to the one that it replaces, and to the one that replaced it', () => {
  const store = storeWith()
  const first = ofClient('a').connect()
  const link = {
    traceId: first.traceId,
    spanId: first.spanId,
    attributes: [['websocket.link.kind', 'previous']] as const,
  }
  store.addSpans([first, ofClient('b').connect([link])], 0)
  const detail = (id: string) => connectionDetail(store.connections, store.traces, id, 0, nothingKnown)!
  expect(detail('a')).toMatchObject({ previous: '', next: 'b' })
  expect(detail('b')).toMatchObject({ previous: 'a', next: '' })
})

test('a connection within another has the peer of the one that carries it', () => {
  const store = storeWith()
  const carrying = span({
    name: 'GET /socket.io',
    kind: 'server',
    attributes: {
      'websocket.route': '/socket.io',
      'websocket.handshake.outcome': 'accepted',
      'client.address': '::1',
      'client.port': 5000,
    },
  })
  const common = { 'websocket.connection.id': 'a', 'websocket.namespace': '/admin' }
  const { traceId, spanId: parentSpanId } = carrying
  const recorded = (name: string, attributes: Record<string, string>, more = {}) =>
    span({ name, attributes: { ...common, ...attributes }, ...more })
  const accepted = { 'websocket.handshake.outcome': 'accepted', 'websocket.transport': 'polling' }
  store.addSpans([carrying, recorded('CONNECT /admin', accepted, { traceId, parentSpanId })], 0)
  store.addSpans([recorded('process hello', { 'websocket.route': '/admin', 'user.id': 'ada' })], 0)
  expect(row(store, 'a')).toMatchObject({ route: '/admin', peer: '[::1]:5000', transport: 'polling', user: 'ada' })
  // Its pings too are those of the one that carries it.
  const facts = (_: string, route: string) => ({ rtt: route === '/socket.io' ? 0.004 : null, buffered: 7 })
  expect(connectionRow(store.connections.get('a')!, facts)).toMatchObject({ routeRtt: 0.004, routeBuffered: 7 })
  store.addSpans(
    [recorded('close /admin', { 'websocket.close.category': 'normal', 'websocket.transport': 'websocket' })],
    0,
  )
  expect(row(store, 'a')).toMatchObject({ peer: '[::1]:5000', transport: 'websocket', user: 'ada', state: 'closed' })
})

test('marks are sent once, and what is dropped is counted', () => {
  const store = storeWith({ maxSpans: 3 })
  const a = of('a')
  store.addSpans([a.handshake(), a.process(10, 1, 10)], 0)
  const first = connectionDetail(store.connections, store.traces, 'a', 0, nothingKnown)!
  expect(first.marks.map(({ number }) => number)).toEqual([0, 1])
  expect(first).toMatchObject({ reset: true, firstMark: 0, omitted: 0 })
  store.addSpans([a.process(20, 2, 10), a.process(30, 3, 10)], 0)
  const second = connectionDetail(store.connections, store.traces, 'a', 2, nothingKnown)!
  expect(second.marks.map(({ number, sequence }) => [number, sequence])).toEqual([
    [2, 2],
    [3, 3],
  ])
  expect(second).toMatchObject({ reset: false, firstMark: 1, omitted: 1 })
})

test('when there are too many, closed connections go before open ones', () => {
  const store = storeWith({ maxConnections: 3 })
  store.addSpans([of('open1').handshake(), of('gone').handshake(), of('gone').close(5, 'normal', 1000)], 0)
  store.addSpans([of('open2').handshake(), of('open3').handshake()], 0)
  expect([...store.connections.values()].map(({ id }) => id)).toEqual(['open1', 'open2', 'open3'])
  store.addSpans([of('open4').handshake()], 0)
  expect([...store.connections.values()].map(({ id }) => id)).toEqual(['open2', 'open3', 'open4'])
  expect(store.counts()).toMatchObject({ connections: 3, connectionsDropped: 2 })
})

test('connections are found by state, route and text', () => {
  const store = storeWith()
  store.addSpans(
    [
      of('open').handshake(),
      of('normal').close(10, 'normal', 1000),
      of('dropped').close(10, 'timeout', 1006),
      of('rejected').handshake('rejected', 401),
    ],
    0,
  )
  const ids = (filter: Partial<ConnectionFilter>) =>
    listConnections(store.connections, { text: '', route: '', state: '', ...filter }, 'newest', 10, nothingKnown)
      .rows.map(({ id }) => id)
      .sort()
  expect(ids({ state: 'open' })).toEqual(['open'])
  expect(ids({ state: 'closed' })).toEqual(['dropped', 'normal'])
  expect(ids({ state: 'dropped' })).toEqual(['dropped'])
  expect(ids({ state: 'rejected' })).toEqual(['rejected'])
  expect(ids({ state: 'errors' })).toEqual(['rejected'])
  expect(ids({ text: 'TIMEOUT' })).toEqual(['dropped'])
  expect(ids({ text: '10.0.0.7' })).toEqual(['open', 'rejected'])
  expect(ids({ route: '/other' })).toEqual([])
})

test('a handshake that was turned away has a record, though it has no connection id', () => {
  const store = storeWith({ maxSpans: 2 })
  const turnedAway = (outcome: string, kind: 'server' | 'client') =>
    span({ kind, attributes: { 'websocket.route': '/chat', 'websocket.handshake.outcome': outcome } })
  const rejected = turnedAway('rejected', 'server')
  // An attempt of a client is recorded by the server that turned it away.
  store.addSpans([turnedAway('accepted', 'server'), turnedAway('rejected', 'client'), rejected], 0)
  expect([...store.connections.values()].map(({ id, state }) => [id, state])).toEqual([[rejected.spanId, 'rejected']])
  store.addSpans([span(), span()], 0)
  const { marks } = connectionDetail(store.connections, store.traces, rejected.spanId, 0, nothingKnown)!
  expect(marks).toEqual([])
})

test('what a record keeps is small, whatever was sent', () => {
  const store = storeWith()
  const long = 'x'.repeat(4000)
  const attributes = { 'websocket.route': long, 'websocket.handshake.outcome': 'rejected', 'client.address': long }
  store.addSpans([span({ attributes: { ...attributes, 'websocket.connection.id': 'a' } })], 0)
  store.addSpans([span({ attributes: { ...attributes, 'websocket.connection.id': long } })], 0)
  expect(store.connections.count).toBe(1)
  expect(row(store, 'a').route).toHaveLength(256)
  expect(row(store, 'a').peer).toHaveLength(256)
})

test('spans of others that carry no connection id make no connection', () => {
  const store = storeWith()
  store.addSpans(
    [span({ name: 'GET /users', kind: 'server' }), span({ attributes: { 'websocket.connection.id': 'a' } })],
    0,
  )
  expect(store.connections.count).toBe(0)
})
