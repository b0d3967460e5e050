import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type RedisService, startRedis } from '@otel-ws/services'
import { connect, HEADER_OFFER, Telemetry } from '@otel-ws/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { WebSocketServer } from 'ws'
import { startQueueNode, startRedisNode } from '../src/index.ts'

const ASKING = { headers: { 'otel-ws': HEADER_OFFER } }

interface Running {
  readonly wss: WebSocketServer
  close(): Promise<unknown>
}

const running: Running[] = []
/** The context, the propagator, and the spans of nodes that have no SDK of their own. */
let process_: Telemetry

beforeEach(() => {
  process_ = new Telemetry()
  process_.install()
})

afterEach(async () => {
  for (const node of running.splice(0)) await node.close()
  await process_.uninstall()
})

async function keep(node: Running): Promise<{ url: string }> {
  running.push(node)
  if (node.wss.address() === null) await once(node.wss, 'listening')
  return { url: `ws://127.0.0.1:${(node.wss.address() as AddressInfo).port}` }
}

describe('Redis Pub/Sub', () => {
  let redis: RedisService

  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis?.stop())

  it('makes one trace of a message that is published on one node and delivered on another', async () => {
    const [here, there] = [new Telemetry(), new Telemetry()]
    const nodes: { url: string }[] = []
    for (const { tracerProvider, meterProvider } of [here, there]) {
      nodes.push(await keep(await startRedisNode(redis.url, 0, { tracerProvider, meterProvider })))
    }
    const [ada, bob, carol] = await Promise.all([
      connect(nodes[0]?.url as string),
      connect(nodes[1]?.url as string),
      connect(nodes[1]?.url as string, [], ASKING),
    ])
    const text = '{ "type":"chat", "text":"h\u00e9" }'
    ada.send(text)
    expect(await bob.next()).toBe(text)
    const carried = await carol.next()
    expect(await ada.next()).toBe(text)

    const process = await here.waitForSpan('process chat')
    const local = await here.waitForSpan('broadcast chat')
    const remote = await there.waitForSpan('broadcast chat')
    for (const broadcast of [local, remote]) {
      expect(broadcast.spanContext().traceId).toBe(process.spanContext().traceId)
      expect(broadcast.parentSpanContext?.spanId).toBe(process.spanContext().spanId)
      expect(broadcast.parentSpanContext?.isRemote).toBe(true)
    }
    expect(remote.attributes['websocket.broadcast.recipients']).toBe(2)
    const { traceId, spanId } = remote.spanContext()
    expect(carried).toBe(
      text.replace('{', `{"_otel":{"traceparent":"00-${traceId}-${spanId}-01","tracestate":"otelws=b"},`),
    )
  })
})

describe('a queue', () => {
  it('makes one trace of a message and the answer of the worker that took it', async () => {
    const { url } = await keep(startQueueNode(0))
    const clients = await Promise.all([connect(url), connect(url)])
    clients[0]?.send('one')
    expect(await clients[0]?.next()).toBe('ONE')
    clients[1]?.send('two')
    expect(await clients[1]?.next()).toBe('TWO')
    await process_.waitForSpan('send /work', 2)
    const [first, second] = process_.spans('process /work')
    expect(process_.spans('send /work').map((span) => span.parentSpanContext?.spanId)).toEqual([
      first?.spanContext().spanId,
      second?.spanContext().spanId,
    ])
    expect(first?.spanContext().traceId).not.toBe(second?.spanContext().traceId)
  })
})
