import { Telemetry } from '@otel-ws/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BACKENDS, type Cluster } from './adapters.ts'
import { connected, join, type Node, startNode } from './nodes.ts'

const global = new Telemetry()

beforeAll(() => global.install())
afterAll(() => global.uninstall())

/** With connection state recovery an event to one socket goes the way of a broadcast. */
describe('nodes that can recover connections', () => {
  let cluster: Cluster
  let a: Node
  let b: Node

  beforeAll(async () => {
    const backend = BACKENDS.find(({ name }) => name === 'Redis Streams')
    if (backend === undefined) throw new Error('no such backend')
    cluster = await backend.start()
    const recovery = { connectionStateRecovery: { maxDisconnectionDuration: 60_000 } }
    a = await startNode({ adapter: await cluster.adapter(), ...recovery })
    b = await startNode({ adapter: await cluster.adapter(), ...recovery })
    await connected([a, b], '40', (data) => data.replace(/,"\d+-\d+"\]$/, ']'))
  }, 60_000)

  afterAll(async () => {
    await a.close()
    await b.close()
    await cluster.stop()
  })

  it('record an event to one socket as a send, on the node that sends it only', async () => {
    const client = await join(a)
    const [socket] = a.io.sockets.sockets.values()
    socket?.emit('private', 1)
    expect(await client.next()).toMatch(/^42\["private",1,"\d+-\d+"\]$/)
    const send = await a.sdk.waitForSpan('send private')
    expect(send.status.code).toBe(0)
    expect(send.attributes).toMatchObject({
      'websocket.message.name': 'private',
      'websocket.message.type': 'text',
      'websocket.message.sequence': 1,
    })
    expect(send.attributes['websocket.message.size']).toBeGreaterThan('2["private",1]'.length)
    // What follows on the same path arrives after it.
    a.io.emit('public')
    expect(await client.next()).toMatch(/^42\["public","\d+-\d+"\]$/)
    const broadcast = await a.sdk.waitForSpan('broadcast public')
    const deliver = await b.sdk.waitForSpan('deliver public')
    expect(deliver.parentSpanContext).toEqual({ ...broadcast.spanContext(), isRemote: true })
    expect(a.sdk.spans('broadcast private')).toEqual([])
    expect(b.sdk.spans('deliver private')).toEqual([])
    expect(
      (await a.sdk.collect('websocket.server.send.undelivered')).filter(
        (row) => row.attributes['websocket.route'] === '/',
      ),
    ).toEqual([])
    await client.close(1000)
  })
})
