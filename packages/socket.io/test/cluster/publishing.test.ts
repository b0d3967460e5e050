import { SpanStatusCode } from '@opentelemetry/api'
import { traceSocketServer } from '@otel-ws/socket.io'
import { Telemetry } from '@otel-ws/testkit'
import { Server } from 'socket.io'
import { Adapter } from 'socket.io-adapter'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Bus } from './bus.ts'
import { answer, join, NONE, type Node, startNode } from './nodes.ts'

const global = new Telemetry()

beforeAll(() => global.install())
afterAll(() => global.uninstall())

class RedisGone extends Error {
  override readonly name = 'RedisGone'
}

describe('two nodes', () => {
  let bus: Bus
  let a: Node
  let b: Node

  beforeEach(async () => {
    bus = new Bus()
    a = await startNode({ adapter: bus.adapter() })
    b = await startNode({ adapter: bus.adapter() })
  })

  afterEach(async () => {
    bus.gate = async () => undefined
    await a.close()
    await b.close()
    for (const { sdk } of [a, b]) await sdk.waitUntil(() => sdk.openSpans().length === 0, 'the end of all spans')
  })

  it('that cannot publish serve their own clients, and record the failure', async () => {
    const client = await join(a)
    bus.gate = () => Promise.reject(new RedisGone('connection lost'))
    a.io.emit('said', 1)
    expect(await client.next()).toBe('42["said",1]')
    const span = await a.sdk.waitForSpan('broadcast said')
    expect(span.status).toEqual({ code: SpanStatusCode.ERROR, message: 'connection lost' })
    expect(span.attributes).toMatchObject({ 'error.type': 'RedisGone', 'websocket.broadcast.recipients': 1 })
    expect(span.events.map(({ name }) => name)).toEqual(['exception'])
    expect(b.sdk.spans('deliver said')).toEqual([])
  })

  it('that publish slowly have broadcasts that end when they have published', async () => {
    const client = await join(a)
    let open = (): void => {}
    bus.gate = () =>
      new Promise<void>((resolve) => {
        open = resolve
      })
    a.io.emit('said', 1)
    expect(a.sdk.openSpans()).toEqual(['broadcast said'])
    expect(client.queued).toBe(0)
    open()
    expect(await client.next()).toBe('42["said",1]')
    const broadcast = await a.sdk.waitForSpan('broadcast said')
    expect(broadcast.attributes['websocket.broadcast.recipients']).toBe(1)
    const deliver = await b.sdk.waitForSpan('deliver said')
    expect(deliver.parentSpanContext?.spanId).toBe(broadcast.spanContext().spanId)
  })

  it('record why a message between servers could not be published', async () => {
    bus.gate = () => Promise.reject(new RedisGone('connection lost'))
    a.io.serverSideEmit('refresh')
    const span = await a.sdk.waitForSpan('broadcast refresh')
    expect(span.attributes['error.type']).toBe('RedisGone')
  })

  it('record the failure of a listener on the delivery between servers', async () => {
    const rejections: unknown[] = []
    const onRejection = (reason: unknown): unknown => rejections.push(reason)
    const before = process.listeners('unhandledRejection')
    process.removeAllListeners('unhandledRejection')
    process.on('unhandledRejection', onRejection)
    const failure = new RangeError('rejected on purpose')
    b.io.on('refresh', async () => Promise.reject(failure))
    a.io.serverSideEmit('refresh')
    const span = await b.sdk.waitForSpan('deliver refresh')
    expect(span.attributes['error.type']).toBe('RangeError')
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', onRejection)
    for (const listener of before) process.on('unhandledRejection', listener)
    expect(rejections).toEqual([failure])
  })

  it('are traced with an adapter that is set later', async () => {
    const later = new Bus()
    a.io.adapter(later.adapter())
    b.io.adapter(later.adapter())
    const client = await join(b)
    a.io.emit('said', 1)
    expect(await client.next()).toBe('42["said",1]')
    const broadcast = await a.sdk.waitForSpan('broadcast said')
    const deliver = await b.sdk.waitForSpan('deliver said')
    expect(deliver.parentSpanContext?.spanId).toBe(broadcast.spanContext().spanId)
  })

  it.each([
    '{',
    'null',
    '7',
    '"x"',
    '{"sentAt":"now"}',
    '{"sentAt":1,"traceparent":7}',
    `{"sentAt":1,"traceparent":"${'0'.repeat(99)}"}`,
  ])('take the carrier %s for none', async (carrier) => {
    const client = await join(a)
    // An emitter without telemetry publishes this.
    await bus.pass(b.io.of('/').adapter as never, {
      uid: 'emitter',
      nsp: '/',
      type: 3,
      data: {
        packet: { type: 2, data: ['said'], nsp: '/' },
        opts: { rooms: [], except: [`otel-ws:${carrier}`], flags: {} },
      },
    })
    expect(await client.next()).toBe('42["said"]')
    const span = await a.sdk.waitForSpan('deliver said')
    expect(span.parentSpanContext).toBeUndefined()
    expect(span.attributes['websocket.broadcast.recipients']).toBe(1)
  })

  it('create no spans when the broadcast was not sampled on the other node', async () => {
    a.sdk.sampler = NONE
    const client = await join(b)
    a.io.emit('said')
    expect(await client.next()).toBe('42["said"]')
    expect(a.sdk.spans('broadcast said')).toEqual([])
    expect(b.sdk.names()).not.toContain('deliver said')
  })

  it('count the acknowledgements that other nodes do not send', async () => {
    const client = await join(b)
    const asked = a.io.timeout(100).emitWithAck('asked')
    await client.next()
    await expect(asked).rejects.toThrow('operation has timed out')
    await a.sdk.waitForSpan('broadcast asked')
    const [row] = await a.sdk.collect('websocket.server.send.undelivered')
    expect(row).toMatchObject({ value: 1, attributes: { 'websocket.send.undelivered.reason': 'ack_timeout' } })
  })

  it('wait for all nodes when some have no clients', async () => {
    const client = await join(b)
    const asked = a.io.timeout(30_000).emitWithAck('asked')
    answer(client, await client.next(), 'yes')
    expect(await asked).toEqual(['yes'])
    const span = await a.sdk.waitForSpan('broadcast asked')
    expect(span.attributes).toMatchObject({ 'websocket.broadcast.recipients': 0, 'websocket.ack.outcome': 'ok' })
  })
})

describe('a node', () => {
  const sdk = new Telemetry()
  const { tracerProvider, meterProvider } = sdk

  it('throws what the host throws when a message cannot be encoded, and leaves nothing open', async () => {
    const io = new Server()
    traceSocketServer(io, { tracerProvider, meterProvider })
    expect(() => io.emit('said', 1n)).toThrow(new TypeError('Do not know how to serialize a BigInt'))
    const asked = () => io.timeout(20).emitWithAck('asked', 1n)
    await expect(asked()).rejects.toThrow('Do not know how to serialize a BigInt')
    await sdk.waitForSpan('broadcast asked')
    expect(sdk.span('broadcast said').attributes['error.type']).toBe('TypeError')
    expect(sdk.openSpans()).toEqual([])
  })

  it('has its original methods after restore()', async () => {
    const io = new Server({ adapter: new Bus().adapter() })
    const { adapter } = io.of('/')
    const before = Reflect.ownKeys(adapter)
    const namespace = Reflect.ownKeys(io.of('/'))
    const traced = traceSocketServer(io, { tracerProvider, meterProvider })
    expect(Reflect.ownKeys(adapter)).not.toEqual(before)
    traced.restore()
    expect(Reflect.ownKeys(adapter)).toEqual(before)
    expect(Reflect.ownKeys(io.of('/'))).toEqual(namespace)
  })

  it('traces the broadcasts of an adapter of the application', async () => {
    const calls: unknown[][] = []
    class Foreign extends Adapter {
      override broadcast(...args: unknown[]): void {
        calls.push(args)
      }
    }
    const io = new Server({ adapter: Foreign as never })
    traceSocketServer(io, { tracerProvider, meterProvider })
    sdk.forget()
    io.to('room').emit('said', 1)
    const span = await sdk.waitForSpan('broadcast said')
    expect(span.attributes).not.toHaveProperty('websocket.broadcast.recipients')
    expect(calls).toHaveLength(1)
    expect(calls[0]?.[0]).toEqual({ type: 2, data: ['said', 1] })
  })
})
