import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Live } from '../src/live.ts'
import { readLiveQuery } from '../src/query/live-query.ts'
import type { Update } from '../src/wire.ts'
import { span, storeWith } from './support/spans.ts'

/** The side of a response that the updates are written to. */
class Sink extends EventEmitter {
  readonly updates: Partial<Update>[] = []
  writableNeedDrain = false
  ended = false
  writeHead(): this {
    return this
  }
  write(text: string): boolean {
    this.updates.push(JSON.parse(text.slice('data: '.length)) as Update)
    return true
  }
  end(): void {
    this.ended = true
    this.emit('close')
  }
}

const facts = { endpoint: 'http://viewer', grpcEndpoint: '', grpcProblem: '', storeFile: '', version: '1.0.0' }
const store = () => storeWith()
let live: Live

function open(query: string): Sink {
  const sink = new Sink()
  live.open(readLiveQuery(new URLSearchParams(query)), sink as unknown as ServerResponse)
  return sink
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  live.close()
  vi.useRealTimers()
})

test('a page gets what it shows at once, then only what has changed', () => {
  const spans = store()
  live = new Live(spans, () => facts, 4)
  const sink = open('view=traces')
  expect(Object.keys(sink.updates[0]!)).toEqual(['now', 'status', 'highlights', 'traces'])
  vi.advanceTimersByTime(1000)
  expect(sink.updates.length).toBe(1)
  spans.addSpans([span()], 0)
  vi.advanceTimersByTime(500)
  expect(sink.updates.length).toBe(2)
  // There is one operation more to judge by.
  expect(Object.keys(sink.updates[1]!)).toEqual(['now', 'status', 'highlights', 'traces'])
  spans.addLogs([], 1)
  vi.advanceTimersByTime(500)
  expect(Object.keys(sink.updates[2]!)).toEqual(['now', 'status'])
})

test('a page that reads slowly gets fewer updates, not a queue of them', () => {
  const spans = store()
  live = new Live(spans, () => facts, 4)
  const sink = open('view=traces')
  sink.writableNeedDrain = true
  for (let index = 0; index < 10; index++) {
    spans.addSpans([span()], 0)
    vi.advanceTimersByTime(500)
  }
  expect(sink.updates.length).toBe(1)
  sink.writableNeedDrain = false
  vi.advanceTimersByTime(500)
  expect(sink.updates.length).toBe(2)
  expect(sink.updates[1]!.status?.spans).toBe(10)
})

test('marks of the open connection are sent once each', () => {
  const spans = store()
  live = new Live(spans, () => facts, 4)
  const attributes = { 'websocket.connection.id': 'c1', 'websocket.route': '/chat' }
  spans.addSpans([span({ name: 'process a', attributes }), span({ name: 'process b', attributes })], 0)
  const sink = open('view=connections&open=c1')
  spans.addSpans([span({ name: 'process c', attributes })], 0)
  vi.advanceTimersByTime(500)
  const names = sink.updates.map(({ connection }) => connection?.marks.map(({ name }) => name))
  expect(names).toEqual([['process a', 'process b'], ['process c']])
  expect(sink.updates.map(({ connection }) => connection?.reset)).toEqual([true, false])
})

test('there are only so many pages, and a page that goes makes room', () => {
  live = new Live(store(), () => facts, 2)
  const first = open('view=traces')
  open('view=metrics')
  expect(live.full).toBe(true)
  first.emit('close')
  expect(live.full).toBe(false)
  expect(vi.getTimerCount()).toBe(1)
})

test('when the last page has gone nothing runs', () => {
  live = new Live(store(), () => facts, 2)
  const sink = open('view=traces')
  sink.emit('close')
  expect(vi.getTimerCount()).toBe(0)
})

test.each([
  ['', { view: 'traces', limit: 100, last: 0, errors: false, minDuration: 0, traceSort: 'newest' }],
  ['view=nonsense&limit=abc&last=-5&min=NaN&sort=DROP', { view: 'traces', limit: 100, last: 0, minDuration: 0 }],
  [
    'view=metrics&limit=1e9&last=1e12&min=5&errors=1',
    { view: 'metrics', limit: 500, last: 30 * 86_400_000, minDuration: 5, errors: true },
  ],
  [`q=${'x'.repeat(10_000)}`, { text: 'x'.repeat(512) }],
])('the query "%s" is read, within limits', (query, expected) => {
  expect(readLiveQuery(new URLSearchParams(query))).toMatchObject(expected)
})
