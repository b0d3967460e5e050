import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect, QUERY_OFFER, type TestClient } from '@otel-ws/testkit'
import { describe, expect, it } from 'vitest'
import { connected, join, type Node, startNode } from './nodes.ts'
import { useRedis } from './redis.ts'

const adapters = useRedis()

/** A client that negotiated propagation and returns packets as they are on the wire. */
async function joinAgreed(node: Node): Promise<TestClient> {
  const client = await connect(`${node.url}/socket.io/${QUERY_OFFER}&EIO=4&transport=websocket`)
  await client.next()
  client.send('40')
  expect(await client.next()).toMatch(/^40\{"sid":"[^"]+","_otel":\{"v":1,"id":"[0-9a-f]{16}"\}\}$/)
  client.send('42["_otel",{"v":1}]')
  const read = once(client.socket, 'pong')
  client.socket.ping()
  await read
  return client
}

describe.each(adapters)('context in messages, with the %s adapter', (_, make) => {
  it('of a broadcast is that of the broadcast span on its node, and of the delivery span on others', async () => {
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
        `42["news",{"a":1},{"_otel":{"traceparent":"00-${traceId}-${spanId}-01","tracestate":"otelws=b"}}]`,
      )
    }
    for (const each of [...agreed, ...others]) each.socket.terminate()
    for (const node of nodes) await node.close()
  })
})
