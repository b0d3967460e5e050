import { once } from 'node:events'
import { SpanStatusCode } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { OPCODE } from '../../testing/frames.ts'
import { echo, type Fixture } from '../fixture.ts'
import type { Harness } from '../harness.ts'

export function heartbeatTests(harness: Harness, fixture: Fixture): void {
  const { route } = harness
  const rtt = 'websocket.server.ping.rtt'
  const missed = 'websocket.server.ping.missed'

  describe('heartbeat', () => {
    it("measures the application's own pings", async () => {
      const { client, socket } = await fixture.open()
      const pong = new Promise((resolve) => socket.onPong?.(resolve))
      socket.ping?.('mine')
      expect(await pong).toBe('mine')
      const [row] = await fixture.telemetry.collect(rtt)
      expect(row).toMatchObject({ unit: 's', count: 1, attributes: { 'websocket.route': route } })
      await client.close(1000)
      const close = await fixture.telemetry.waitForSpan(`close ${route}`)
      expect(close.attributes['websocket.ping.rtt']).toBeCloseTo((row as { sum: number }).sum, 9)
    })

    it('does not measure pongs without a ping', async () => {
      let ponged: () => void = () => {}
      const seen = new Promise<void>((resolve) => {
        ponged = resolve
      })
      const host = await fixture.serve({
        connection(socket) {
          socket.ping?.('mine')
          socket.onPong?.((data) => data === 'last' && ponged())
        },
      })
      const client = await fixture.rawConnect(host)
      expect((await client.nextFrame()).payload.toString()).toBe('mine')
      client.send(OPCODE.pong, 'foreign')
      client.send(OPCODE.pong, 'last')
      await seen
      expect(await fixture.telemetry.collect(rtt)).toEqual([])
    })

    it('sends no pings by default', async () => {
      const quiet = await fixture.serve({
        connection: echo,
      })
      // Before there is another server: an instrumentation of all servers traces by its latest options.
      const client = await fixture.rawConnect(quiet)
      const beating = await fixture.serve({
        telemetry: { heartbeatInterval: 20, heartbeatTimeout: 10_000 },
        connection() {},
      })
      const pinged = await fixture.rawConnect(beating)
      for (let beats = 0; beats < 3; beats++) {
        const { opcode, payload } = await pinged.nextFrame()
        expect(opcode).toBe(OPCODE.ping)
        pinged.send(OPCODE.pong, payload)
      }
      client.send(OPCODE.text, 'end')
      expect((await client.nextFrame()).opcode).toBe(OPCODE.text)
    })

    it('pings every connection with option heartbeatInterval and measures the round trip', async () => {
      const host = await fixture.serve({
        telemetry: { heartbeatInterval: 20, heartbeatTimeout: 10_000 },
        connection(socket) {
          socket.onPong?.(() => pongs.push('seen by the application'))
        },
      })
      const pongs: string[] = []
      const client = await fixture.rawConnect(host)
      for (let round = 0; round < 3; round++) {
        const ping = await client.nextFrame()
        expect(ping.opcode).toBe(OPCODE.ping)
        client.send(OPCODE.pong, ping.payload)
      }
      const [row] = await fixture.telemetry.collect(rtt)
      expect(row?.count).toBeGreaterThanOrEqual(2)
      const [none] = await fixture.telemetry.collect(missed)
      expect(none?.value).toBe(0)
      expect(pongs).toEqual([])
    })

    it('counts pings that a dead client misses, and does not touch its connection', async () => {
      const host = await fixture.serve({
        telemetry: { heartbeatInterval: 20, heartbeatTimeout: 20 },
        connection: echo,
      })
      const client = await fixture.rawConnect(host)
      for (let ping = 0; ping < 4; ping++) expect((await client.nextFrame()).opcode).toBe(OPCODE.ping)
      const [row] = await fixture.telemetry.collect(missed)
      expect(row?.value).toBeGreaterThanOrEqual(3)
      client.send(OPCODE.text, 'still open')
      let frame = await client.nextFrame()
      while (frame.opcode === OPCODE.ping) frame = await client.nextFrame()
      expect(frame.payload.toString()).toBe('still open')
      expect(fixture.telemetry.spans(`close ${route}`)).toEqual([])
    })

    it('terminates a dead client with option heartbeatTerminate, which is a close by timeout', async () => {
      const host = await fixture.serve({
        telemetry: { heartbeatInterval: 20, heartbeatTimeout: 20, heartbeatTerminate: true },
        connection() {},
      })
      const dead = await fixture.rawConnect(host)
      const alive = await fixture.connect(host)
      await dead.closed
      const span = await fixture.telemetry.waitForSpan(`close ${route}`)
      expect(span.attributes).toMatchObject({
        'websocket.close.code': 1006,
        'websocket.close.category': 'timeout',
        'websocket.close.initiator': 'local',
        'error.type': 'timeout',
      })
      expect(span.status.code).toBe(SpanStatusCode.ERROR)
      const [row] = await fixture.telemetry.collect(missed)
      expect(row?.value).toBe(1)
      expect(alive.socket.readyState).toBe(alive.socket.OPEN)
      await alive.close(1000)
      expect((await fixture.telemetry.waitForSpan(`close ${route}`, 2)).attributes['websocket.close.category']).toBe(
        'normal',
      )
    })

    it('does not count pings as missed while the process itself is blocked', async () => {
      const host = await fixture.serve({
        telemetry: { heartbeatInterval: 20, heartbeatTimeout: 20, heartbeatTerminate: true },
        connection() {},
      })
      const client = await fixture.connect(host)
      const closed = client.closed.then(({ code }) => expect.unreachable(`closed with ${code}`))
      const pinged = () => Promise.race([once(client.socket, 'ping'), closed])
      for (let stall = 0; stall < 3; stall++) {
        // The pong is on its way by now. It waits in the kernel until the process has time again.
        await pinged()
        const end = performance.now() + 60
        while (performance.now() < end);
      }
      await pinged()
      expect(await fixture.telemetry.collect(missed)).toMatchObject([{ value: 0 }])
      closed.catch(() => undefined)
      await client.close(1000)
      const span = await fixture.telemetry.waitForSpan(`close ${route}`)
      expect(span.attributes['websocket.close.category']).toBe('normal')
    })

    it("takes the application's own termination of a dead client for a timeout", async () => {
      const host = await fixture.serve({
        telemetry: { heartbeatTimeout: 20 },
        connection(socket) {
          socket.ping?.()
          setTimeout(() => socket.terminate(), 60)
        },
      })
      await fixture.rawConnect(host)
      const span = await fixture.telemetry.waitForSpan(`close ${route}`)
      expect(span.attributes['websocket.close.category']).toBe('timeout')
      expect(span.attributes['websocket.close.initiator']).toBe('local')
      const [row] = await fixture.telemetry.collect(missed)
      expect(row?.value).toBe(1)
    })
  })
}
