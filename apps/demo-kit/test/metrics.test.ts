import type { Histogram } from '@opentelemetry/sdk-metrics'
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import pc from 'picocolors'
import { describe, expect, it } from 'vitest'
import { histogramSince, mergeHistograms, quantile } from '../src/histogram.ts'
import { type MetricSnapshot, MetricStore } from '../src/metric-store.ts'
import { formatMetricsLine } from '../src/metrics-line.ts'
import { formatMetrics } from '../src/summary.ts'

const plain = pc.createColors(false)

function fixture() {
  const snapshots: [now: MetricSnapshot, before: MetricSnapshot | undefined][] = []
  const store = new MetricStore((now, before) => snapshots.push([now, before]))
  const reader = new PeriodicExportingMetricReader({
    exporter: store,
    exportIntervalMillis: 1e9,
    exportTimeoutMillis: 1e9,
  })
  const provider = new MeterProvider({ readers: [reader] })
  const meter = provider.getMeter('test')
  const buckets = { explicitBucketBoundaries: [0.001, 0.01, 0.1, 1] }
  return {
    store,
    snapshots,
    collect: () => provider.forceFlush(),
    messages: meter.createCounter('websocket.server.messages', { unit: '{message}' }),
    io: meter.createCounter('websocket.server.io', { unit: 'By' }),
    process: meter.createHistogram('websocket.server.message.process.duration', { unit: 's', advice: buckets }),
    closes: meter.createHistogram('websocket.server.connection.duration', { unit: 's', advice: buckets }),
  }
}

function histogram(counts: number[], min: number, max: number): Histogram {
  const count = counts.reduce((sum, one) => sum + one, 0)
  return { buckets: { boundaries: [1, 2, 4], counts }, count, sum: count, min, max }
}

describe('histograms', () => {
  it('estimate quantiles within their bucket and their extremes', () => {
    const even = histogram([0, 10, 0, 0], 1.2, 1.8)
    expect(quantile(even, 0.5)).toBeCloseTo(1.5)
    expect(quantile(even, 1)).toBe(1.8)
    expect(quantile(histogram([5, 0, 0, 5], 0.5, 9), 1)).toBe(9)
    expect(quantile(histogram([0, 0, 0, 0], 0, 0), 0.5)).toBeUndefined()
  })

  it('add up, and give back what came since', () => {
    const merged = mergeHistograms([histogram([1, 2, 0, 0], 0.5, 2), histogram([0, 0, 3, 1], 3, 7)]) as Histogram
    expect(merged).toEqual({ ...histogram([1, 2, 3, 1], 0.5, 7) })
    expect(histogramSince(merged, histogram([1, 1, 0, 0], 0.5, 2)).buckets.counts).toEqual([0, 1, 3, 1])
    expect(mergeHistograms([])).toBeUndefined()
  })
})

describe('the line of metrics', () => {
  it('tells rates and latencies since the line before', async () => {
    const { snapshots, collect, messages, io, process } = fixture()
    messages.add(1_000, { 'websocket.message.direction': 'receive' })
    process.record(0.9)
    await collect()
    messages.add(8, { 'websocket.message.direction': 'receive' })
    messages.add(30, { 'websocket.message.direction': 'send' })
    io.add(2_400)
    process.record(0.005)
    await collect()

    const [now, before] = snapshots[1] as [MetricSnapshot, MetricSnapshot]
    Object.assign(before, { time: now.time - 2_000 })
    const line = formatMetricsLine(now, before, 0, plain).replaceAll(/ +/g, ' ')
    expect(line).toContain(' metrics 0 open | in 4.0/s | out 15.0/s | 1.20 kB/s | process p50 7.50 ms p95 9.75 ms |')
    expect(line).toContain('| rtt –, 0 missed | 0 slow')
  })
})

describe('the summary of metrics', () => {
  it('has one line for each metric: total, quantiles, breakdown', async () => {
    const { store, collect, messages, io, closes } = fixture()
    messages.add(3, { 'websocket.message.direction': 'receive', 'websocket.message.type': 'text' })
    messages.add(2, { 'websocket.message.direction': 'receive', 'websocket.message.type': 'binary' })
    messages.add(7, { 'websocket.message.direction': 'send', 'websocket.message.type': 'text' })
    io.add(1_500, { 'websocket.message.direction': 'send' })
    closes.record(0.5, { 'websocket.close.code': 1000, 'websocket.close.category': 'normal' })
    closes.record(0.5, { 'websocket.close.code': '4xxx', 'websocket.close.category': 'application' })
    await collect()
    expect(formatMetrics(store.last, plain, 140)).toEqual([
      'Metrics                                             total',
      '  websocket.server.connection.duration                  2  p50 500 ms, p95 500 ms, max 500 ms  |  1000 normal 1, 4xxx application 1',
      '  websocket.server.io                             1.50 kB  send 1.50 kB',
      '  websocket.server.messages                            12  send 7, receive 5',
    ])
  })

  it('is empty but for its heading before the first collection', () => {
    expect(formatMetrics(undefined, plain, 140)).toHaveLength(1)
  })
})
