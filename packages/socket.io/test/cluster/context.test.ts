import { randomUUID } from 'node:crypto'
import { startRedis } from '@otel-ws/services'
import { connect, Telemetry, type TestClient } from '@otel-ws/testkit'
import { createAdapter } from '@socket.io/redis-adapter'
import { createAdapter as createStreamsAdapter } from '@socket.io/redis-streams-adapter'
import { Redis } from 'ioredis'
import type { ServerOptions } from 'socket.io'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connected, join, type Node, startNode } from './nodes.ts'

type Adapter = NonNullable<ServerOptions['adapter']>

/** The context, the propagator, and the spans of nobody. */
const global = new Telemetry()
let redis: Awaited<ReturnType<typeof startRedis>>
const clients: Redis[] = []

beforeAll(async () => {
  global.install()
  redis = await startRedis()
}, 60_000)

afterAll(async () => {
  for (const client of clients) client.disconnect()
  await redis.stop()
  await global.uninstall()
})

function client(): Redis {
  const made = new Redis(redis.url)
  made.on('error', () => {})
  clients.push(made)
  return made
}

const adapters: readonly [name: string, make: (key: string) => Adapter][] = [
  ['Redis', (key) => createAdapter(client(), client(), { key }) as unknown as Adapter],
  [
    'Redis Streams',
    (key) =>
      createStreamsAdapter(client(), { streamName: key, channelPrefix: key, blockTimeInMs: 200 }) as unknown as Adapter,
  ],
]

/** A client that has agreed, and sees what is on the wire. */
async function joinAgreed(node: Node): Promise<TestClient> {
  const client = await connect(`${node.url}/socket.io/?EIO=4&transport=websocket&otel-ws=1`)
  await client.next()
  client.send('40')
  expect(await client.next()).toMatch(/^40\{"sid":"[^"]+","_otel":\{"v":1,"id":"[0-9a-f]{16}"\}\}$/)
  return client
}

describe.each(adapters)('context in messages, with the %s adapter', (_, make) => {
  it('of a broadcast is that of the broadcast here, and of its delivery there', async () => {
    const key = `context-${randomUUID()}`
    const nodes = [await startNode({ adapter: make(key) }), await startNode({ adapter: make(key) })] as const
    await connected(nodes)
    const [here, there] = nodes
    const agreed = [await joinAgreed(here), await joinAgreed(there)]
    const others = [await join(here), await join(there)]

    here.io.emit('news', { a: 1 })

    for (const other of others) expect(await other.next()).toBe('42["news",{"a":1}]')
    const spans = [await here.sdk.waitForSpan('broadcast news'), await there.sdk.waitForSpan('deliver news')] as const
    expect(spans[1].parentSpanContext?.spanId).toBe(spans[0].spanContext().spanId)
    for (const [index, span] of spans.entries()) {
      const { traceId, spanId } = span.spanContext()
      expect(await agreed[index]?.next()).toBe(
        `42["news",{"a":1},{"_otel":{"traceparent":"00-${traceId}-${spanId}-01"}}]`,
      )
    }
    for (const each of [...agreed, ...others]) each.socket.terminate()
    for (const node of nodes) await node.close()
  })
})
