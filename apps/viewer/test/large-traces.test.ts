import { expect, test } from 'vitest'
import { traceDetail } from '../src/query/trace-detail.ts'
import { listTraces } from '../src/query/trace-list.ts'
import { span, spanId, storeWith, traceId } from './support/spans.ts'

const id = traceId(1)
const start = 1_763_721_000_000
const everything = { text: '', service: '', route: '', connection: '', errors: false, minDuration: 0 }

/** A root with 1,499 children in chains of three; what is given overrides the child of that number. */
function large(more: Readonly<Record<number, Parameters<typeof span>[0]>>) {
  const store = storeWith({ maxSpans: 10_000, maxSpansPerTrace: 5000 })
  store.addSpans(
    Array.from({ length: 1500 }, (_, index) =>
      span({
        traceId: id,
        spanId: spanId(index + 1),
        parentSpanId: index === 0 ? '' : spanId(index % 3 === 1 ? 1 : index),
        name: `step ${index}`,
        start: start + index,
        duration: 1,
        ...more[index],
      }),
    ),
    0,
  )
  return store
}

test('a row is red whatever the size of its trace', () => {
  const store = large({ 1499: { error: true, statusMessage: 'boom' } })
  expect(listTraces(store.traces, everything, 'newest', 10).rows).toMatchObject([
    { spans: 1500, errors: 1, error: 'boom' },
  ])
})

test('what is drawn of a large trace is what matters: errors with their path, the slowest, the selected one', () => {
  const store = large({ 1499: { error: true }, 1400: { duration: 900 } })
  const detail = traceDetail(store.traces, id, { asked: spanId(1450), find: 'name="step 1300"' })!
  const names = detail.spans.map(({ name }) => name)
  expect(detail).toMatchObject({ total: 1500, failed: 1, omitted: 500 })
  expect(names).toHaveLength(1000)
  for (const name of ['step 0', 'step 1499', 'step 1400', 'step 1449', 'step 1300', 'step 1'])
    expect(names).toContain(name)
  // Each stands below its parent.
  const keys = new Set(detail.spans.map(({ key }) => key))
  expect(detail.spans.filter(({ parent }) => parent !== '' && !keys.has(parent))).toEqual([])
  expect(detail.found).toEqual({ count: 1, keys: [spanId(1301)] })
})

test('a search within a trace counts what is not drawn as well', () => {
  const store = large({})
  expect(traceDetail(store.traces, id, { find: 'step -"step 0"' })?.found?.count).toBe(1499)
  expect(traceDetail(store.traces, id, { find: 'duration>x' })?.findProblems).toHaveLength(1)
})

test('clocks that disagree, parents that are missing and ids that are not unique are said', () => {
  const store = storeWith()
  const twin = { traceId: id, spanId: spanId(2), parentSpanId: spanId(1), start: start + 1 }
  store.addSpans(
    [
      span({ traceId: id, spanId: spanId(1), start }),
      span({ ...twin, name: 'first' }),
      span({ ...twin, name: 'second', error: true }),
      span({ traceId: id, parentSpanId: spanId(1), start: start - 3000, service: 'worker' }),
      span({ traceId: id, parentSpanId: spanId(99), start }),
    ],
    0,
  )
  const detail = traceDetail(store.traces, id)!
  expect(detail.doubts).toEqual([
    '1 span begins before the parent, by up to 3 s: the clocks disagree (another on worker 1 than chat 1)',
    '1 span names a parent that did not arrive: not sampled, not exported yet, or lost',
    '1 span has the id of another span: both are drawn',
  ])
  // The second of two spans with one id is kept, counted and drawn with its failure.
  expect(detail.spans.map(({ key, name }) => [key, name])).toContainEqual([`${spanId(2)}#2`, 'second'])
  expect(detail.failed).toBe(1)
  expect(store.counts()).toMatchObject({ spans: 5, received: 5, doubled: 1 })
})

test('a time range reaches everything that is kept, and so do pages', () => {
  const store = storeWith({ maxSpans: 5000 })
  store.addSpans(
    Array.from({ length: 2000 }, (_, index) => span({ name: `t${index}`, start: start + index * 1000 })),
    0,
  )
  const range = { from: start, to: start + 10_000 }
  const within = listTraces(store.traces, { ...everything, range }, 'newest', 100)
  expect(within.rows.map(({ name }) => name)).toEqual(Array.from({ length: 11 }, (_, index) => `t${10 - index}`))
  expect(within).toMatchObject({ matching: 11, total: 2000 })
  const seen = new Set<string>()
  let before = Number.POSITIVE_INFINITY
  for (;;) {
    const { rows } = listTraces(store.traces, everything, 'newest', 500, { before })
    if (rows.length === 0) break
    for (const row of rows) seen.add(row.name)
    before = rows.at(-1)!.start
  }
  expect(seen.size).toBe(2000)
  expect(listTraces(store.traces, everything, 'slowest', 500, { skip: 1900 }).rows).toHaveLength(100)
})

test('a search that runs out of time says how far it came, and goes on from there', async () => {
  const { TraceTest } = await import('../src/query/filter.ts')
  const store = storeWith({ maxSpans: 5000 })
  store.addSpans(
    Array.from({ length: 1000 }, () => span({ name: 'sought' })),
    0,
  )
  const filter = { ...everything, text: 'sought' }
  const test = new TraceTest(filter)
  const counts: number[] = []
  for (let round = 0; round < 100 && counts.at(-1) !== 1000; round++) {
    let asked = 0
    const list = listTraces(store.traces, filter, 'newest', 10, { test, enough: () => ++asked > 20 })
    counts.push(list.searched)
  }
  expect(counts.length).toBeGreaterThan(1)
  expect(counts.at(-1)).toBe(1000)
  expect([...counts].sort((a, b) => a - b)).toEqual(counts)
})
