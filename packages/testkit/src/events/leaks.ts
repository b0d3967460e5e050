import { AlwaysOffSampler } from '@opentelemetry/sdk-trace'
import { describe, expect, it } from 'vitest'
import { heapUsed, left } from '../testing/heap.ts'
import { eventually } from './expectations.ts'
import { useEventFixture } from './fixture.ts'
import type { EventHarness, EventHost } from './harness.ts'

const CONNECTIONS = 600
const BATCH = 300
const AT_ONCE = 50
/**
 * A runtime keeps memory itself at times, such as code that it compiles meanwhile; memory kept of each connection shows in
 * every batch. A connection that stays keeps its socket and its client, which are some 10,000 bytes.
 */
const BYTES_PER_CONNECTION = 2000

/** Declares that connections which have gone leave nothing behind, for one adapter and host of events. */
export function eventLeakSuite(harness: EventHarness): void {
  const { capabilities } = harness

  describe(`leaks of ${harness.name}`, () => {
    const fixture = useEventFixture(harness)

    /** A client connects, gets an answer, leaves events without one on either side, and disconnects. */
    async function visit(host: EventHost, n: number): Promise<void> {
      const client = await host.connect()
      client.emit('hello', n)
      await client.next()
      if (n % 10 === 0) {
        client.emit('hang')
        client.emit(`unknown ${n}`)
        client.emit('x'.repeat(5000))
        if (capabilities.acks) {
          client.request('hang').catch(() => {})
          client.emit('ask')
        }
        client.emit('hello', n)
        await client.next()
      }
      if (n % 4 === 0) client.abort()
      else await client.leave()
      await client.closed
    }

    async function visits(host: EventHost, count: number): Promise<void> {
      for (let done = 0; done < count; done += AT_ONCE) {
        await Promise.all(Array.from({ length: AT_ONCE }, (_, n) => visit(host, n)))
      }
    }

    it.each(['sampled', 'not sampled'])(
      `after ${CONNECTIONS} connections, %s, no span is open and the heap is back`,
      async (how) => {
        const { telemetry } = fixture
        if (how === 'not sampled') telemetry.sampler = new AlwaysOffSampler()
        const host = await fixture.serve({
          telemetry: { maxConnectionSpanAge: 100, maxSpansPerSecond: false },
          events: {
            hello: (socket, n) => socket.emit('hello', n),
            hang: () => new Promise(() => {}),
            ask: (socket) => void socket.ask('never').catch(() => {}),
          },
        })
        const active = async (name: string) => {
          const rows = await telemetry.collect(`websocket.server.${name}`)
          return rows.reduce((sum, { value = 0 }) => sum + value, 0)
        }
        const isOver = async () => (await active('connection.active')) === 0 && telemetry.openSpans().length === 0
        const visitAll = async (): Promise<number> => {
          await visits(host, BATCH)
          await eventually(isOver)
          telemetry.forget()
          return heapUsed()
        }
        let before = await visitAll()
        const kept: number[] = []
        for (let done = 0; done < CONNECTIONS; done += BATCH) {
          const after = await visitAll()
          kept.push((after - before) / BATCH)
          before = after
        }
        const { started, ended } = telemetry.counts()
        expect(Math.min(...kept)).toBeLessThan(BYTES_PER_CONNECTION)
        expect(started).toBe(ended)
        if (how === 'not sampled') expect(started).toBe(0)
        else expect(started).toBeGreaterThan(CONNECTIONS * 5)
        expect(await active('send.buffered')).toBe(0)
      },
      300_000,
    )

    it('a socket that has gone and its context can be collected', async () => {
      const refs: WeakRef<object>[] = []
      const host = await fixture.serve({
        telemetry: { maxConnectionSpanAge: 100, maxSpansPerSecond: false },
        connection(socket) {
          const connection = host.connectionOf(socket)
          refs.push(new WeakRef(socket.raw))
          if (connection !== undefined) refs.push(new WeakRef<object>(connection))
        },
        events: { hello: (socket, n) => socket.emit('hello', n) },
      })
      await visit(host, 1)
      await fixture.telemetry.waitForSpan(`close ${harness.names.route}`)
      const gone = refs.splice(0)
      if (harness.keepsLast) await visit(host, 1)
      await fixture.settle()
      fixture.telemetry.forget()
      expect(gone).toHaveLength(2)
      expect(await left(gone)).toBe(0)
    })
  })
}
