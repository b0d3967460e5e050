import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { answer, type Client, join } from './nodes.ts'
import type { Order, ToldSpan } from './worker.ts'

/** Processes that `node:cluster` has forked, each with an SDK of its own. */
describe('three processes of node:cluster', () => {
  let primary: ChildProcess
  const answers = new Map<number, (answer: unknown) => void>()
  let orders = 0
  let urls: string[]
  let clients: Client[]

  async function order<T>(to: number, what: Order): Promise<T> {
    const id = ++orders
    const answered = new Promise((resolve) => answers.set(id, resolve))
    primary.send({ to, id, order: what })
    return answered as Promise<T>
  }

  const span = (of: number, name: string) => order<ToldSpan>(of, { do: 'span', name })

  /** The deliveries of a broadcast of process 0: its children. */
  async function deliveries(name: string): Promise<[ToldSpan, ToldSpan, ToldSpan]> {
    const broadcast = await span(0, `broadcast ${name}`)
    const others = await Promise.all([1, 2].map((process) => span(process, `deliver ${name}`)))
    for (const { traceId, parentSpanId, attributes } of others) {
      expect([traceId, parentSpanId]).toEqual([broadcast.traceId, broadcast.spanId])
      expect(attributes['websocket.deliver.lag']).toBeGreaterThanOrEqual(0)
    }
    return [broadcast, ...others] as [ToldSpan, ToldSpan, ToldSpan]
  }

  beforeAll(async () => {
    primary = fork(fileURLToPath(new URL('primary.ts', import.meta.url)), { execArgv: ['--import', 'tsx'] })
    primary.on('message', ({ id, answer }: { id: number; answer: unknown }) => {
      answers.get(id)?.(answer)
      answers.delete(id)
    })
    urls = await Promise.all([0, 1, 2].map((process) => order<string>(process, { do: 'start' })))
    // The processes discover each other by heartbeats.
    for (const process of [0, 1, 2]) {
      while ((await order<number>(process, { do: 'servers' })) < 3);
    }
    clients = await Promise.all(urls.map((url) => join({ url })))
  }, 60_000)

  afterAll(async () => {
    const ended = once(primary, 'exit')
    primary.disconnect()
    await ended
  })

  it('have ports of their own', () => {
    expect(new Set(urls).size).toBe(3)
  })

  it('make one trace of a broadcast', async () => {
    await order(0, { do: 'emit', name: 'said' })
    for (const client of clients) expect(await client.next()).toBe('42["said",1]')
    const spans = await deliveries('said')
    expect(spans.map(({ attributes }) => attributes['websocket.broadcast.recipients'])).toEqual([1, 1, 1])
    expect(spans.map(({ attributes }) => attributes['websocket.message.size'])).toEqual([11, 11, 11])
    expect(await order(0, { do: 'names' })).not.toContain('deliver said')
  })

  it('make one trace of an event with acknowledgements to all clients', async () => {
    const asked = order<unknown[]>(0, { do: 'ask', name: 'asked' })
    for (const [index, client] of clients.entries()) answer(client, await client.next(), index)
    expect((await asked).sort()).toEqual([0, 1, 2])
    const [broadcast] = await deliveries('asked')
    expect(broadcast.attributes['websocket.ack.outcome']).toBe('ok')
  })

  it('make one trace of a message between servers', async () => {
    await order(0, { do: 'tell servers', name: 'refresh' })
    const spans = await deliveries('refresh')
    for (const { attributes } of spans) expect(attributes).not.toHaveProperty('websocket.broadcast.recipients')
  })
})
