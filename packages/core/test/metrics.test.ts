import { context, metrics } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { LiveConnection } from '../src/metrics/live-connections.ts'
import { metricSet } from '../src/metrics/set.ts'
import { BoundedNames, messageName } from '../src/span/names.ts'

/** A provider whose state can be looked at. */
class Sdk {
  readonly #exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  readonly provider = new MeterProvider({
    readers: [new PeriodicExportingMetricReader({ exporter: this.#exporter, exportIntervalMillis: 1e9 })],
  })

  /** Values of the data points of one instrument, keyed by their attributes. */
  async read(name: string): Promise<Record<string, unknown>> {
    this.#exporter.reset()
    await this.provider.forceFlush()
    const found = this.#exporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics)
      .flatMap((scope) => scope.metrics)
      .filter(({ descriptor }) => descriptor.name === name)
      .flatMap(({ dataPoints }) => dataPoints as { attributes: object; value: unknown }[])
    const rows: Record<string, unknown> = {}
    for (const { attributes, value } of found) {
      const key = Object.values(attributes).join(' ')
      // Two series of one instrument with the same attributes would be one point too many.
      expect(rows).not.toHaveProperty([key])
      rows[key] = typeof value === 'object' ? (value as { count: number }).count : value
    }
    return rows
  }
}

let scopes = 0
let scope: { name: string; version: string }
let sdks: Sdk[] = []

function newSdk(): Sdk {
  const sdk = new Sdk()
  sdks.push(sdk)
  return sdk
}

beforeEach(() => {
  // Sets are kept for the life of the process, by scope.
  scope = { name: `test ${++scopes}`, version: '1' }
})

afterEach(async () => {
  metrics.disable()
  for (const { provider } of sdks) await provider.shutdown()
  sdks = []
})

const MESSAGES = 'websocket.server.messages'
const ACTIVE = 'websocket.server.connection.active'

describe('metricSet', () => {
  it('has fewer than 2,000 points per instrument, the limit of the SDK, with two routes whose bounds are full', async () => {
    const sdk = newSdk()
    const set = metricSet(scope, sdk.provider)
    const names = new BoundedNames(200, 64)
    for (const route of ['/a', '/b']) {
      const series = set.series(route, undefined, undefined)
      for (let n = 0; n < 1000; n++) {
        const name = names.bound(`name ${n}`).name as string
        series.receivedText++
        series.receivedNamed(name, false)
        for (const delivery of ['personal', 'broadcast'] as const) {
          series.sentBinary++
          series.sentNamed(name, true, delivery)
        }
      }
    }
    const rows = await sdk.read(MESSAGES)
    expect(Object.keys(rows)).toHaveLength(2 * 3 * 201)
    expect(Object.values(rows).reduce((sum: number, value) => sum + (value as number), 0)).toBe(6000)
  })

  it('counts from the first moment, and tells it to a provider that comes later', async () => {
    const early = metricSet(scope, undefined)
    expect(early.recording).toBe(false)
    const series = early.series('/r', undefined, undefined)
    series.receivedText = 5
    const sdk = newSdk()
    metrics.setGlobalMeterProvider(sdk.provider)
    const late = metricSet(scope, undefined)
    expect(late).toBe(early)
    expect(late.recording).toBe(true)
    series.receivedText++
    expect(await sdk.read(MESSAGES)).toEqual({ '/r receive text': 6 })
  })

  it('starts from zero for a provider that follows another', async () => {
    const first = newSdk()
    metrics.setGlobalMeterProvider(first.provider)
    metricSet(scope, undefined).series('/r', undefined, undefined).sentText = 5
    expect(await first.read(MESSAGES)).toEqual({ '/r send text': 5 })
    metrics.disable()
    const second = newSdk()
    metrics.setGlobalMeterProvider(second.provider)
    metricSet(scope, undefined).series('/r', undefined, undefined).sentText = 1
    expect(await second.read(MESSAGES)).toEqual({ '/r send text': 1 })
  })

  it('is one for all servers of a scope, so that none overwrites the figures of another', async () => {
    const { provider, read } = ((sdk) => ({ provider: sdk.provider, read: sdk.read.bind(sdk) }))(newSdk())
    for (const given of [provider, undefined]) {
      if (given === undefined) metrics.setGlobalMeterProvider(provider)
      const [one, two] = [metricSet(scope, given), metricSet(scope, given)]
      expect(one).toBe(two)
      one.series('/r', undefined, undefined).receivedBinary++
      two.series('/r', undefined, undefined).receivedBinary++
      if (given !== undefined) expect(await read(MESSAGES)).toEqual({ '/r receive binary': 2 })
    }
  })

  it('keeps scopes and providers apart', async () => {
    const [one, two] = [newSdk(), newSdk()]
    const other = { name: `${scope.name} other`, version: '1' }
    metricSet(scope, one.provider).series('/r', undefined, undefined).receivedText = 1
    metricSet(scope, two.provider).series('/r', undefined, undefined).receivedText = 2
    metricSet(other, two.provider).series('/s', undefined, undefined).receivedText = 3
    expect(await one.read(MESSAGES)).toEqual({ '/r receive text': 1 })
    expect(await two.read(MESSAGES)).toEqual({ '/r receive text': 2, '/s receive text': 3 })
  })

  it('prefers the provider it is given to the global one', async () => {
    const [global, own] = [newSdk(), newSdk()]
    metrics.setGlobalMeterProvider(global.provider)
    metricSet(scope, own.provider).series('/r', undefined, undefined).receivedText = 1
    expect(await own.read(MESSAGES)).toEqual({ '/r receive text': 1 })
    expect(await global.read(MESSAGES)).toEqual({})
  })

  it('has one series for each combination of route, namespace and subprotocol', async () => {
    const sdk = newSdk()
    const set = metricSet(scope, sdk.provider)
    expect(set.series('/r', undefined, 'json')).toBe(set.series('/r', undefined, 'json'))
    expect(set.series('/r', undefined, 'json')).not.toBe(set.series('/r', 'json', undefined))
    expect(set.series(undefined, undefined, undefined).attributes).toEqual({})
    expect(set.series('/r', '/n', 'json').attributes).toEqual({
      'websocket.route': '/r',
      'websocket.namespace': '/n',
      'websocket.subprotocol': 'json',
    })
  })

  it('tells a series without messages its connections and no messages', async () => {
    const sdk = newSdk()
    metricSet(scope, sdk.provider).series('/r', undefined, undefined)
    expect(await sdk.read(ACTIVE)).toEqual({ '/r': 0 })
    expect(await sdk.read(MESSAGES)).toEqual({})
    expect(await sdk.read('websocket.server.send.undelivered')).toEqual({})
    expect(await sdk.read('websocket.server.io')).toEqual({ '/r receive': 0, '/r send': 0 })
  })

  it('reads the plain numbers of all series', async () => {
    const sdk = newSdk()
    const series = metricSet(scope, sdk.provider).series('/r', undefined, undefined)
    Object.assign(series, {
      receivedText: 1,
      receivedBinary: 2,
      receivedBytes: 30,
      sentText: 4,
      sentBinary: 5,
      sentBytes: 60,
      processing: 7,
      missedPings: 8,
      notOpen: 9,
      sendErrors: 10,
      ackTimeouts: 11,
      volatileDrops: 12,
    })
    expect(await sdk.read(MESSAGES)).toEqual({
      '/r receive text': 1,
      '/r receive binary': 2,
      '/r send text': 4,
      '/r send binary': 5,
    })
    expect(await sdk.read('websocket.server.io')).toEqual({ '/r receive': 30, '/r send': 60 })
    expect(await sdk.read('websocket.server.message.process.active')).toEqual({ '/r': 7 })
    expect(await sdk.read('websocket.server.ping.missed')).toEqual({ '/r': 8 })
    expect(await sdk.read('websocket.server.send.undelivered')).toEqual({
      '/r not_open': 9,
      '/r error': 10,
      '/r ack_timeout': 11,
      '/r volatile': 12,
    })
  })

  it('counts a send whose callback has an error, and no other', () => {
    const series = metricSet(scope, undefined).series('/r', undefined, undefined)
    for (const error of [undefined, null, new Error('x')]) series.onTransmitted(error)
    expect(series.sendErrors).toBe(1)
  })

  it('sums what waits to be sent, and counts the slow, at the moment it is asked', async () => {
    const sdk = newSdk()
    const { live } = metricSet(scope, sdk.provider).series('/r', undefined, undefined)
    const waiting = [10, 20, 0]
    const connections = waiting.map(
      (_, index): LiveConnection => ({
        slowBytes: 10 + index,
        isIdle: undefined,
        bufferedAmount: () => waiting[index] as number,
        older: undefined,
        newer: undefined,
      }),
    )
    for (const connection of connections) live.add(connection)
    expect(await sdk.read('websocket.server.send.buffered')).toEqual({ '/r': 30 })
    expect(await sdk.read('websocket.server.connection.slow')).toEqual({ '/r': 1 })
    waiting[0] = 11
    waiting[2] = 13
    live.delete(connections[1] as LiveConnection)
    expect(await sdk.read('websocket.server.send.buffered')).toEqual({ '/r': 24 })
    expect(await sdk.read('websocket.server.connection.slow')).toEqual({ '/r': 2 })
    expect(await sdk.read(ACTIVE)).toEqual({ '/r': 2 })
  })

  it.each([
    [0, 1, 2, 3],
    [3, 2, 1, 0],
    [1, 3, 0, 2],
  ])('counts the connections that are open, which close in the order %i %i %i %i', async (...order) => {
    const sdk = newSdk()
    const { live } = metricSet(scope, sdk.provider).series('/r', undefined, undefined)
    const connections = order.map(
      (): LiveConnection => ({
        slowBytes: 0,
        isIdle: undefined,
        bufferedAmount: () => 1,
        older: undefined,
        newer: undefined,
      }),
    )
    for (const connection of connections) live.add(connection)
    for (const [closed, index] of order.entries()) {
      expect(await sdk.read('websocket.server.send.buffered')).toEqual({ '/r': 4 - closed })
      live.delete(connections[index] as LiveConnection)
      live.delete(connections[index] as LiveConnection)
      expect(await sdk.read(ACTIVE)).toEqual({ '/r': 3 - closed })
    }
    expect([...live]).toEqual([])
  })

  it('makes the attributes of a name once', () => {
    const series = metricSet(scope, undefined).series('/r', undefined, undefined)
    const chat = messageName('chat', undefined)
    expect(series.named(chat)).toBe(series.named(messageName('chat', undefined)))
    expect(series.named(chat)).toEqual({ 'websocket.route': '/r', 'websocket.message.name': 'chat' })
    expect(series.named(messageName(undefined, '/r'))).toBe(series.attributes)
    expect(series.failed(chat, 'TypeError')).toEqual({ ...series.named(chat), 'error.type': 'TypeError' })
  })

  it('records histograms with the provider of the moment', async () => {
    const set = metricSet(scope, undefined)
    set.processDuration.record(1, {}, context.active())
    const sdk = newSdk()
    metrics.setGlobalMeterProvider(sdk.provider)
    metricSet(scope, undefined).processDuration.record(1, { a: 'b' })
    expect(await sdk.read('websocket.server.message.process.duration')).toEqual({ b: 1 })
  })
})
