import { expect, test } from 'vitest'
import type { MetricPoint } from '../src/model.ts'
import { metricsBoard } from '../src/query/board.ts'
import { MetricStore } from '../src/store/metrics.ts'

const t0 = 1_763_721_000_000
const everything = { service: '', node: '', route: '', message: '', instrument: '', last: 10_000 }

function boardOf(points: readonly Partial<MetricPoint>[], filter: Partial<typeof everything> = {}) {
  const store = new MetricStore({ maxSeries: 100, maxSamples: 1000 }, t0)
  for (const one of points) {
    store.add({
      name: 'm',
      unit: '1',
      description: '',
      kind: 'counter',
      delta: true,
      attributes: [],
      resource: { service: 'chat', instance: '1', attributes: [] },
      start: t0 + 1000,
      time: t0 + 2000,
      value: 0,
      ...one,
    })
  }
  return metricsBoard(store, { ...everything, ...filter }, t0 + 5000)
}

/** The lines of a panel, without the steps in which nothing is known. */
function lines(board: ReturnType<typeof boardOf>, id: string) {
  const panel = board.panels.find((one) => one.id === id)
  return panel?.series.map(({ label, values }) => [label, values.filter((value) => value !== null)])
}

const duration = (name: string, counts: number[]): Partial<MetricPoint> => ({
  name: 'websocket.server.message.process.duration',
  kind: 'histogram',
  attributes: [['websocket.message.name', name]],
  histogram: { bounds: [0.1, 1], counts, max: Number.POSITIVE_INFINITY },
})

test('the panels everyone needs are there from the start, the others once there is something to show', () => {
  const always = ['active', 'messages', 'latency', 'closes', 'broadcast', 'rtt']
  expect(boardOf([]).panels.map(({ id, series }) => [id, series.length])).toEqual(always.map((id) => [id, 0]))
  const undelivered = { name: 'websocket.server.send.undelivered', value: 3 }
  expect(boardOf([undelivered]).panels.map(({ id }) => id)).toEqual([...always, 'undelivered'])
})

test('lines are kept apart by the attribute of their panel, whatever else the series differ in', () => {
  const messages = (direction: string, type: string, value: number) => ({
    name: 'websocket.server.messages',
    value,
    attributes: [
      ['websocket.message.direction', direction],
      ['websocket.message.type', type],
    ] as const,
  })
  const board = boardOf([messages('receive', 'text', 3), messages('receive', 'binary', 4), messages('send', 'text', 5)])
  expect(lines(board, 'messages')).toEqual([
    ['receive', [7]],
    ['send', [5]],
  ])
})

test('lines that are too many to keep apart are summed up in one', () => {
  const active = Array.from({ length: 12 }, (_, index) => ({
    name: 'websocket.server.connection.active',
    kind: 'gauge' as const,
    value: 1,
    attributes: [['websocket.route', `/r${String(index).padStart(2, '0')}`]] as const,
  }))
  const board = boardOf(active)
  expect(lines(board, 'active')!.map(([label, values]) => [label, values![0]])).toEqual([
    ['/r00', 1],
    ['/r01', 1],
    ['/r02', 1],
    ['/r03', 1],
    ['/r04', 1],
    ['/r05', 1],
    ['/r06', 1],
    ['others', 5],
  ])
})

test('a level that is 0 all the time is not drawn beside one that is not, and all are where there is none', () => {
  const active = (route: string, value: number) => ({
    name: 'websocket.server.connection.active',
    kind: 'gauge' as const,
    value,
    attributes: [['websocket.route', route]] as const,
  })
  const labels = (points: Partial<MetricPoint>[]) => lines(boardOf(points), 'active')!.map(([label]) => label)
  expect(labels([active('/chat', 2), active('/idle', 0)])).toEqual(['/chat'])
  expect(labels([active('/chat', 0), active('/idle', 0)])).toEqual(['/chat', '/idle'])
})

test('percentiles of what is counted are whole', () => {
  const recipients = {
    name: 'websocket.server.broadcast.recipients',
    kind: 'histogram' as const,
    histogram: { bounds: [1, 2, 5], counts: [0, 2, 8, 0], max: 5 },
  }
  expect(lines(boardOf([recipients]), 'broadcast')).toEqual([
    ['p50', [4]],
    ['p95', [5]],
    ['p99', [5]],
  ])
})

test('one node of several is chosen', () => {
  const on = (instance: string, value: number) => ({
    name: 'jobs',
    value,
    resource: { service: 'chat', instance, attributes: [] },
  })
  const points = [on('node-1', 3), on('node-2', 4)]
  expect(boardOf(points).nodes).toEqual(['node-1', 'node-2'])
  expect(lines(boardOf(points, { instrument: 'jobs' }), 'instrument')).toEqual([
    ['chat node-1', [3]],
    ['chat node-2', [4]],
  ])
  expect(lines(boardOf(points, { instrument: 'jobs', node: 'node-2' }), 'instrument')).toEqual([['chat', [4]]])
})

test('the latency chart is that of the message that was chosen', () => {
  const points = [duration('fast', [4, 0, 0]), duration('slow', [0, 4, 0])]
  expect(lines(boardOf(points, { message: 'fast' }), 'latency')).toEqual([
    ['p50', [0.05]],
    ['p95', [expect.closeTo(0.095)]],
    ['p99', [expect.closeTo(0.099)]],
  ])
  expect(boardOf(points, { message: 'fast' }).handlers.length).toBe(2)
})

test('any instrument is drawn as its kind and unit suggest', () => {
  const gauge: Partial<MetricPoint> = { name: 'process.memory', kind: 'gauge', unit: 'By', value: 7 }
  const counter: Partial<MetricPoint> = { name: 'jobs', value: 20, attributes: [['queue.name', 'mail']] }
  const points = [gauge, counter, duration('a', [1, 0, 0])]
  const drawn = (instrument: string) => boardOf(points, { instrument }).panels[0]!
  expect(drawn('process.memory')).toMatchObject({ id: 'instrument', unit: 'bytes', series: [{ label: 'chat' }] })
  expect(drawn('jobs')).toMatchObject({ unit: 'perSecond', series: [{ label: 'chat name=mail' }] })
  expect(lines(boardOf(points, { instrument: 'jobs' }), 'instrument')).toEqual([['chat name=mail', [20]]])
  expect(drawn('websocket.server.message.process.duration').series.map(({ label }) => label)).toEqual([
    'p50',
    'p95',
    'p99',
  ])
  expect(drawn('unknown').series).toEqual([])
})

test('service and route choose the series of every panel', () => {
  const io = (service: string, route: string) => ({
    name: 'websocket.server.io',
    value: 10,
    resource: { service, instance: '1', attributes: [] },
    attributes: [
      ['websocket.route', route],
      ['websocket.message.direction', 'send'],
    ] as const,
  })
  const points = [io('a', '/x'), io('a', '/y'), io('b', '/x')]
  expect(lines(boardOf(points), 'io')).toEqual([['send', [30]]])
  expect(lines(boardOf(points, { service: 'a' }), 'io')).toEqual([['send', [20]]])
  expect(lines(boardOf(points, { service: 'a', route: '/y' }), 'io')).toEqual([['send', [10]]])
  expect(boardOf(points)).toMatchObject({ services: ['a', 'b'], routes: ['/x', '/y'] })
})
