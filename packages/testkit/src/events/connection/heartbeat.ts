import { SpanStatusCode } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { eventually } from '../expectations.ts'
import type { EventFixture } from '../fixture.ts'
import type { EventHarness } from '../harness.ts'

export function heartbeatTests(harness: EventHarness, fixture: EventFixture): void {
  const { names } = harness
  const name = `close ${names.route}`

  describe('heartbeat', () => {
    it('is measured as round trips, and is not traced', async () => {
      const { client } = await fixture.open({ connection() {}, heartbeat: { interval: 20, timeout: 20_000 } })
      const rows = () => fixture.telemetry.collect('websocket.server.ping.rtt')
      await eventually(async () => ((await rows())[0]?.count ?? 0) >= 2)
      expect(await rows()).toMatchObject([
        { unit: 's', attributes: { 'websocket.route': names.heartbeatRoute ?? names.route } },
      ])
      await client.leave()
      const close = await fixture.telemetry.waitForSpan(name)
      expect(close.attributes['websocket.ping.rtt']).toBeGreaterThan(0)
      const missed = await fixture.telemetry.collect('websocket.server.ping.missed')
      expect(missed.filter(({ value }) => value !== 0)).toEqual([])
      await fixture.settle()
      expect(fixture.telemetry.names()).toEqual(
        [names.handshake, ...(names.below ?? []), name, `open ${names.route}`].sort(),
      )
    })

    it('without an answer is counted as missed and closes its connection as a timeout', async () => {
      const { client } = await fixture.open({ heartbeat: { interval: 20, timeout: 200 } })
      client.freeze?.()
      const close = await fixture.telemetry.waitForSpan(name)
      expect(close.attributes).toMatchObject({
        'websocket.close.code': 1006,
        'websocket.close.category': 'timeout',
        'websocket.close.initiator': 'local',
        'error.type': 'timeout',
      })
      expect(close.status.code).toBe(SpanStatusCode.ERROR)
      const missed = await fixture.telemetry.collect('websocket.server.ping.missed')
      expect(missed.filter(({ value }) => value !== 0)).toMatchObject([
        { value: 1, attributes: { 'websocket.route': names.heartbeatRoute ?? names.route } },
      ])
    })
  })
}
