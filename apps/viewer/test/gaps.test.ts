import { expect, test } from 'vitest'
import { connectionDetail } from '../src/query/connection-detail.ts'
import { span, storeWith, traceId } from './support/spans.ts'

const start = 1_763_721_000_000
const common = { 'websocket.connection.id': 'c1', 'websocket.route': '/chat' }

function message(operation: 'send' | 'process', sequence: number, counts: Record<string, number> = {}) {
  return span({
    name: `${operation} chat`,
    start: start + 100 * sequence,
    attributes: { ...common, 'websocket.message.sequence': sequence, ...counts },
  })
}

const unrecorded = (sent: number, broadcast: number) => ({
  'websocket.connection.messages.sent.unrecorded': sent,
  'websocket.connection.messages.sent.broadcast': broadcast,
})

function close(sent: number, counts: Record<string, number> = {}) {
  return span({
    name: 'close /chat',
    start: start + 100_000,
    duration: 0,
    attributes: {
      ...common,
      'websocket.close.category': 'normal',
      'websocket.close.code': 1000,
      'websocket.connection.messages.received': 0,
      'websocket.connection.messages.sent': sent,
      ...counts,
    },
  })
}

function detail(spans: ReturnType<typeof span>[], limits = {}) {
  const store = storeWith(limits)
  store.addSpans(spans, 0)
  return connectionDetail(store.connections, store.traces, 'c1', 0, () => ({ rtt: null, buffered: null }))!
}

test('of all messages that were sent each is listed or explained', () => {
  const { sent, gaps } = detail([
    message('send', 1, unrecorded(0, 0)),
    message('send', 2, unrecorded(0, 0)),
    message('send', 10, unrecorded(2, 5)),
    message('send', 12, unrecorded(3, 5)),
    close(68, unrecorded(10, 51)),
  ])
  expect(sent).toEqual({ total: 68, listed: 4, broadcast: 51, unrecorded: 10, evicted: 0, unexplained: 3 })
  expect(
    gaps.map(({ first, last, broadcast, unrecorded: sampled, unexplained }) => [
      first,
      last,
      broadcast,
      sampled,
      unexplained,
    ]),
  ).toEqual([
    [3, 9, 5, 2, 0],
    [11, 11, 0, 1, 0],
    [13, 68, 46, 7, 3],
  ])
  expect(gaps[0]).toMatchObject({ direction: 'sent', from: start + 200, to: start + 1000, count: 7 })
})

test('a count is on the spans where it has changed', () => {
  const { sent, gaps } = detail([
    message('send', 1),
    message('send', 4, { 'websocket.connection.messages.sent.unrecorded': 2 }),
    message('send', 6, { 'websocket.connection.messages.sent.broadcast': 1 }),
    message('send', 7),
    close(9, { 'websocket.connection.messages.sent.broadcast': 3 }),
  ])
  expect(sent).toEqual({ total: 9, listed: 4, broadcast: 3, unrecorded: 2, evicted: 0, unexplained: 0 })
  expect(gaps.map(({ first, last, broadcast, unrecorded: of }) => [first, last, broadcast, of])).toEqual([
    [2, 3, 0, 2],
    [5, 5, 1, 0],
    [8, 9, 2, 0],
  ])
})

test('where no span says why, that is what is said', () => {
  const { sent, received, gaps } = detail([message('send', 1), message('send', 5), message('process', 3), close(5)])
  expect(sent).toEqual({ total: 5, listed: 2, broadcast: 0, unrecorded: 0, evicted: 0, unexplained: 3 })
  expect(received).toMatchObject({ total: 3, listed: 1, unexplained: 2 })
  expect(gaps.map(({ direction, first, last }) => [direction, first, last])).toEqual([
    ['received', 1, 2],
    ['sent', 2, 4],
  ])
})

test('messages whose spans were dropped here are kept apart from those that were never recorded', () => {
  const spans = [1, 2, 3, 4, 5, 6].map((sequence) => message('send', sequence, unrecorded(0, 0)))
  const { sent } = detail(spans, { maxSpans: 4 })
  expect(sent).toEqual({ total: 6, listed: 4, broadcast: 0, unrecorded: 0, evicted: 2, unexplained: 0 })
})

test('a message that is recorded twice, or out of order, is one message', () => {
  const { sent, gaps } = detail([
    message('send', 3, unrecorded(0, 0)),
    message('send', 1, unrecorded(0, 0)),
    message('send', 2, unrecorded(0, 0)),
    message('send', 3, unrecorded(0, 0)),
  ])
  expect(sent).toMatchObject({ total: 3, listed: 3, unexplained: 0 })
  expect(gaps).toEqual([])
})

test('operations run from what asks for them to what ends them, and a subscription until its end is recorded', () => {
  const operation = (name: string, id: string, more: Record<string, string | number> = {}) => ({
    ...common,
    'websocket.operation.name': name,
    'websocket.operation.id': id,
    ...more,
  })
  const asked = (name: string, at: number, attributes: Record<string, string | number>) =>
    span({ name: `process ${name}`, start: start + at, duration: 5, attributes })
  const { operations } = detail([
    asked(
      'GetUser',
      0,
      operation('GetUser', '1', { 'websocket.operation.type': 'query', 'websocket.operation.outcome': 'ok' }),
    ),
    asked('OnMessage', 10, operation('OnMessage', '2', { 'websocket.operation.type': 'subscription' })),
    span({
      name: 'complete OnMessage',
      traceId: traceId(9),
      start: start + 20,
      duration: 980,
      attributes: operation('OnMessage', '2', {
        'websocket.operation.outcome': 'cancelled',
        'websocket.stream.items': 40,
      }),
    }),
    asked('OnTyping', 30, operation('OnTyping', '2', { 'websocket.operation.type': 'subscription' })),
  ])
  expect(
    operations.map(({ name, outcome, ended, items, start: from, end }) => [
      name,
      outcome,
      ended,
      items,
      from - start,
      end - start,
    ]),
  ).toEqual([
    ['GetUser', 'ok', true, null, 0, 5],
    ['OnMessage', 'cancelled', true, 40, 10, 1000],
    ['OnTyping', '', false, null, 30, 35],
  ])
})
