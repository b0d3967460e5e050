import { expect, test } from 'vitest'
import type { MetricPoint } from '../src/model.ts'
import { explicitHistogram, exponentialHistogram } from '../src/otlp/histograms.ts'
import { metricsBoard } from '../src/query/board.ts'
import { MetricStore } from '../src/store/metrics.ts'
import { BucketSum } from '../src/store/quantile.ts'
import { increases, levels, quantiles, type Range, rangeUntil, rates } from '../src/store/range.ts'

const t0 = 1_763_721_000_000
const limits = { maxSeries: 10, maxSamples: 1000 }
const everything = { service: '', node: '', route: '', message: '', instrument: '', last: 10_000 }

/** Ten steps of one second from `t0` on. */
const range: Range = { from: t0, step: 1000, steps: 10 }

function point(at: number, parts: Partial<MetricPoint>): MetricPoint {
  return {
    name: 'm',
    unit: '1',
    description: '',
    kind: 'counter',
    delta: false,
    attributes: [],
    resource: { service: 'chat', instance: '1', attributes: [] },
    start: t0,
    time: t0 + at,
    value: 0,
    ...parts,
  }
}

function storeOf(...points: MetricPoint[]): MetricStore {
  const store = new MetricStore(limits, t0)
  for (const one of points) store.add(one)
  return store
}

const rounded = (values: readonly (number | null)[]) =>
  values.map((value) => (value === null ? null : Math.round(value * 1e6) / 1e6))

test('a cumulative counter becomes a rate over the time it covers', () => {
  const store = storeOf(point(2000, { value: 10 }), point(4500, { value: 35 }))
  expect(rounded(rates(store.named('m'), range))).toEqual([5, 5, 10, 10, 10, null, null, null, null, null])
})

test('a delta counter becomes the same rate', () => {
  const store = storeOf(
    point(2000, { delta: true, value: 10 }),
    point(4500, { delta: true, start: t0 + 2000, value: 25 }),
  )
  expect(rounded(rates(store.named('m'), range))).toEqual([5, 5, 10, 10, 10, null, null, null, null, null])
})

test('what a process counted before the viewer was there is no increase', () => {
  const store = storeOf(
    point(1000, { start: t0 - 60_000, value: 500 }),
    point(2000, { start: t0 - 60_000, value: 502 }),
  )
  expect(rates(store.named('m'), range).slice(0, 3)).toEqual([null, 2, null])
})

test('a series that is new between two exports is an increase from nothing', () => {
  const old = { start: t0 - 60_000 }
  const store = storeOf(
    point(1000, { ...old, value: 500 }),
    point(2000, { ...old, value: 500 }),
    point(2000, { ...old, value: 3, attributes: [['reason', 'late']] }),
  )
  expect(increases(store.named('m'), range).slice(0, 3)).toEqual([null, 3, null])
})

test('a first record that is exported within its millisecond is not lost', () => {
  const store = storeOf(
    point(1000, { start: t0 + 1000, kind: 'histogram', histogram: { bounds: [1], counts: [3, 0], max: 1 } }),
  )
  expect(increases(store.named('m'), range).slice(0, 2)).toEqual([3, null])
})

test('a counter that starts with its first export has no rate before the second one', () => {
  const store = storeOf(point(1000, { start: t0 + 999, value: 500 }), point(2000, { start: t0 + 999, value: 502 }))
  expect(rates(store.named('m'), range).slice(0, 3)).toEqual([null, 2, null])
})

test('a restart is not a negative increase', () => {
  const store = storeOf(
    point(1000, { value: 100 }),
    point(2000, { value: 110 }),
    point(3000, { start: t0 + 2500, value: 4 }),
  )
  expect(rounded(rates(store.named('m'), range)).slice(0, 4)).toEqual([100, 10, 4, null])
})

test('points that come twice or out of order are left out', () => {
  const store = storeOf(point(2000, { value: 10 }), point(2000, { value: 10 }), point(1000, { value: 5 }))
  expect(rounded(rates(store.named('m'), range)).slice(0, 3)).toEqual([5, 5, null])
})

test('a rate is known until all processes have reported, and does not wait for one that has ended', () => {
  const reported = (instance: string, at: number, value: number) =>
    point(at, { value, resource: { service: 'chat', instance, attributes: [] } })
  const store = storeOf(
    reported('ended', 1000, 2),
    ...[1000, 2000, 3000, 4000].map((at) => reported('early', at, at / 100)),
    ...[1500, 2500, 3500].map((at) => reported('late', at, at / 100)),
  )
  expect(rounded(rates(store.named('m'), range)).slice(0, 6)).toEqual([22, 20, 20, 20, null, null])
  store.add(reported('early', 5500, 55))
  expect(rounded(rates(store.named('m'), range)).slice(0, 6)).toEqual([22, 20, 20, 20, null, null])
})

test('levels of several series add up, and end when nothing more is reported', () => {
  const gauge = (at: number, value: number, route: string) =>
    point(at, { kind: 'gauge', value, attributes: [['websocket.route', route]] })
  const store = storeOf(gauge(1000, 3, '/a'), gauge(1000, 4, '/b'), gauge(2000, 5, '/a'), gauge(3000, 6, '/a'))
  const sums = levels(store.named('m'), range)
  expect(sums).toEqual([7, 9, 10, 10, 6, 6, null, null, null, null])
})

test('quantiles are those of what was recorded in the step', () => {
  const histogram = (at: number, counts: number[]) =>
    point(at, { kind: 'histogram', histogram: { bounds: [10, 20, 40], counts, max: Number.POSITIVE_INFINITY } })
  const store = storeOf(
    histogram(1000, [10, 0, 0, 0]),
    histogram(2000, [10, 10, 0, 0]),
    histogram(3000, [10, 10, 0, 1]),
  )
  const [median, top] = quantiles(store.named('m'), range, [0.5, 1])
  expect(median!.slice(0, 4)).toEqual([5, 15, 40, null])
  expect(top!.slice(0, 4)).toEqual([10, 20, 40, null])
})

test('histograms with other bounds add up', () => {
  const sum = new BucketSum()
  sum.add([10, 20], [4, 0, 0])
  sum.add([5, 10, 20], [0, 0, 4, 0])
  expect(sum.count).toBe(8)
  expect(sum.quantile(0.5)).toBe(10)
  expect(sum.quantile(1)).toBe(20)
  expect(new BucketSum().quantile(0.5)).toBeNull()
})

test('no quantile is above the largest value that was recorded', () => {
  const sum = new BucketSum()
  sum.add([1, 2.5], [0, 10, 0], 1.2)
  expect(sum.quantile(0.5)).toBeCloseTo(1.1)
  expect(sum.quantile(1)).toBeCloseTo(1.2)
  // Beyond the last bound it is all that is known.
  sum.add([1, 2.5], [0, 0, 10], 7)
  expect(sum.quantile(1)).toBe(7)
  sum.add([1, 2.5], [0, 0, 10])
  expect(sum.quantile(1)).toBe(2.5)
})

test('the largest value is read where it is given', () => {
  const buckets = { explicitBounds: [1], bucketCounts: [1, 1] }
  expect(explicitHistogram({ ...buckets, max: 3 })?.max).toBe(3)
  expect(explicitHistogram(Object.setPrototypeOf({ ...buckets }, { max: 0 }))?.max).toBe(Number.POSITIVE_INFINITY)
})

test('an exponential histogram has the same quantiles, within its buckets', () => {
  // Scale 3: each bucket is 2^(1/8) wide. 800 values of 100 to 900 evenly.
  const counts = new Array<number>(80).fill(0)
  for (let value = 100; value < 900; value++) counts[Math.ceil(Math.log2(value) * 8) - 1]!++
  const { bounds, counts: merged } = exponentialHistogram({
    scale: 3,
    positive: { offset: 0, bucketCounts: counts },
    zeroCount: '0',
  })!
  const sum = new BucketSum()
  sum.add(bounds, merged)
  expect(sum.count).toBe(800)
  expect(sum.quantile(0.5)).toBeGreaterThan(470)
  expect(sum.quantile(0.5)).toBeLessThan(530)
})

test.each([
  ['counts that do not fit the bounds', { bounds: [1, 2], counts: [1, 2] }],
  ['bounds that do not ascend', { bounds: [2, 1], counts: [1, 2, 3] }],
  ['bounds that are no numbers', { bounds: ['x'], counts: [1, 2] }],
  [
    'more buckets than anyone needs',
    { bounds: Array.from({ length: 1000 }, (_, i) => i), counts: new Array(1001).fill(0) },
  ],
])('%s are refused', (_, { bounds, counts }) => {
  expect(explicitHistogram({ explicitBounds: bounds, bucketCounts: counts })).toBeUndefined()
})

test('series and samples are bounded, the oldest go first', () => {
  const store = new MetricStore({ maxSeries: 5, maxSamples: 50 }, t0)
  for (let index = 0; index < 1000; index++) {
    for (let series = 0; series < 8; series++) {
      store.add(point(index * 1000 + series, { kind: 'gauge', value: index, attributes: [['series', series]] }))
    }
  }
  expect(store.seriesCount).toBe(5)
  const kept = [...store.all()]
  expect(kept.map(({ attributes }) => attributes[0]?.[1])).toEqual([3, 4, 5, 6, 7])
  expect(kept.reduce((sum, { samples }) => sum + samples.length, 0)).toBeLessThanOrEqual(65)
})

test('a range ends after now, on whole steps', () => {
  const { from, step, steps } = rangeUntil(t0 + 250, 10_000, 10)
  expect({ from, step, steps }).toEqual({ from: t0 + 1000 - 10_000, step: 1000, steps: 10 })
})

test('the board lists handlers, slowest first, with their failures', () => {
  const handled = (name: string, counts: number[], error?: string) =>
    point(4000, {
      name: 'websocket.server.message.process.duration',
      unit: 's',
      kind: 'histogram',
      attributes: [
        ['websocket.message.name', name],
        ['websocket.route', '/chat'],
        ...(error === undefined ? [] : ([['error.type', error]] as const)),
      ],
      histogram: { bounds: [0.01, 1], counts, max: 0.9 },
    })
  const store = storeOf(handled('fast', [8, 0, 0]), handled('slow', [0, 4, 0]), handled('fast', [2, 0, 0], 'TypeError'))
  const board = metricsBoard(store, everything, t0 + 5000)
  expect(board.handlers.map(({ name, count, failed, rate }) => ({ name, count, failed, rate }))).toEqual([
    { name: 'slow', count: 4, failed: 0, rate: 1 },
    { name: 'fast', count: 10, failed: 2, rate: 2.5 },
  ])
  expect(board.instruments).toEqual([
    { name: 'websocket.server.message.process.duration', kind: 'histogram', unit: 's', description: '', series: 3 },
  ])
  const other = metricsBoard(store, { ...everything, route: '/other' }, t0 + 5000)
  expect(other.handlers).toEqual([])
})
