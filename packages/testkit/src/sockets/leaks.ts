import { AlwaysOffSampler } from '@opentelemetry/sdk-trace'
import { describe, expect, it } from 'vitest'
import { encodeFrame, OPCODE } from '../testing/frames.ts'
import { heapUsed, left } from '../testing/heap.ts'
import { rawConnect } from '../testing/raw-client.ts'
import { useFixture } from './fixture.ts'
import type { Harness, Host } from './harness.ts'

const CONNECTIONS = 10_000
const AT_ONCE = 100
/**
 * Enough for what a runtime itself keeps, such as code that it compiles meanwhile, 1 MB or so in all. A connection
 * that stays keeps its socket, which is some 3,000 bytes.
 */
const BYTES_PER_CONNECTION = 300

/** A client connects, sends a message, gets an answer, and leaves. */
async function visit(host: Host, leave: 'close' | 'reset'): Promise<void> {
  const client = await rawConnect(host.url, { head: encodeFrame(OPCODE.text, 'hello') })
  await client.nextFrame()
  if (leave === 'close') client.send(OPCODE.close)
  else client.reset()
  await client.closed
}

async function visits(host: Host, count: number): Promise<void> {
  for (let done = 0; done < count; done += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => visit(host, index % 4 === 0 ? 'reset' : 'close')))
  }
}

/** Telemetry under which connections come and go. */
const VARIANTS = {
  sampled: {},
  'in one trace per connection': { traces: 'connection' },
  'not sampled': {},
} as const

/**
 * Declares that connections which have gone leave nothing behind, for one adapter and host.
 *
 * @param variants which telemetry to run with. What a connection keeps after its handshake is the same for every set-up
 * and most adapters: more than `sampled` is worth its half a minute only where it has not been run before.
 */
export function leakSuite(harness: Harness, variants: readonly (keyof typeof VARIANTS)[] = ['sampled']): void {
  const { route } = harness

  describe(`leaks of ${harness.name}`, () => {
    const fixture = useFixture(harness)

    /** Serves answers; of the messages in the handler, one in ten never settles. */
    async function serve(telemetry: Record<string, unknown>): Promise<Host> {
      let messages = 0
      return fixture.serve({
        telemetry,
        connection(socket) {
          socket.onMessage(async (data) => {
            socket.send(data)
            if (messages++ % 10 === 0) await new Promise(() => {})
          })
        },
      })
    }

    it.each(variants)(
      `after ${CONNECTIONS} connections, %s, no span is open and the heap is back`,
      async (how) => {
        const { telemetry } = fixture
        if (how === 'not sampled') telemetry.sampler = new AlwaysOffSampler()
        const host = await serve({ ...VARIANTS[how], maxConnectionSpanAge: 100, maxSpansPerSecond: false })
        await visits(host, 1000)
        telemetry.forget()
        await telemetry.waitUntil(() => telemetry.openSpans().length === 0, 'the end of the spans that never settle')
        telemetry.forget()
        const before = await heapUsed()
        const { ended } = telemetry.counts()
        for (let done = 0; done < CONNECTIONS; done += 1000) {
          await visits(host, 1000)
          telemetry.forget()
        }
        // The last connections may still be closing: their close spans have not started then.
        const least = how === 'not sampled' ? 0 : CONNECTIONS * 5
        const haveAllEnded = () => telemetry.openSpans().length === 0 && telemetry.counts().ended - ended >= least
        await telemetry.waitUntil(haveAllEnded, 'the end of all spans')
        const spans = telemetry.counts().ended - ended
        telemetry.forget()
        const after = await heapUsed()
        expect((after - before) / CONNECTIONS).toBeLessThan(BYTES_PER_CONNECTION)
        expect(telemetry.openSpans()).toEqual([])
        // A handshake, an open, a process, a send, and a close each; connection spans may have gone through segments.
        if (how === 'sampled') expect(spans).toBe(CONNECTIONS * 5)
        else if (how === 'not sampled') expect(spans).toBe(0)
        else expect(spans).toBeGreaterThanOrEqual(CONNECTIONS * 5)
        const [active] = await telemetry.collect('websocket.server.connection.active')
        expect(active).toMatchObject({ value: 0, attributes: { 'websocket.route': route } })
        const [buffered] = await telemetry.collect('websocket.server.send.buffered')
        expect(buffered?.value).toBe(0)
      },
      300_000,
    )

    it('a closed socket and its context can be collected, once the timers of its handlers are cleared', async () => {
      const refs: WeakRef<object>[] = []
      const timers: ReturnType<typeof setInterval>[] = []
      const host = await fixture.serve({
        telemetry: { maxConnectionSpanAge: 100 },
        connection(socket) {
          const connection = host.connectionOf(socket.raw)
          refs.push(new WeakRef(socket.raw))
          if (connection) refs.push(new WeakRef(connection))
          timers.push(setInterval(() => {}, 60_000))
          socket.onMessage(() => {
            timers.push(setInterval(() => {}, 60_000))
            socket.send('seen')
          })
        },
      })
      await visit(host, 'close')
      await fixture.telemetry.waitForSpan(`close ${route}`)
      // Taken out one by one: what this function holds in a variable is not collected.
      const clear = (): void => {
        for (const timer of timers.splice(0)) clearInterval(timer)
      }
      clear()
      await fixture.settle()
      fixture.telemetry.forget()
      expect(refs).toHaveLength(2)
      expect(await left(refs)).toBe(0)
    })

    it('a timer or a promise of a handler keeps no finished span', async () => {
      const timers: ReturnType<typeof setInterval>[] = []
      const pending: Promise<unknown>[] = []
      const leaveBehind = (): void => {
        timers.push(setInterval(() => {}, 60_000))
        pending.push(new Promise(() => {}))
      }
      const host = await fixture.serve({
        telemetry: {},
        connection(socket) {
          leaveBehind()
          socket.onMessage((data) => {
            leaveBehind()
            socket.send(data)
          })
        },
      })
      await visit(host, 'close')
      await fixture.telemetry.waitForSpan(`close ${route}`)
      const refs = fixture.telemetry.spans().map((span) => new WeakRef<object>(span))
      fixture.telemetry.forget()
      expect(refs).toHaveLength(5)
      expect(timers).toHaveLength(2)
      expect(await left(refs)).toBe(0)
      expect(pending).toHaveLength(2)
      for (const timer of timers) clearInterval(timer)
    })
  })
}
