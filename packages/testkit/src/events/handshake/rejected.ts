import { SpanStatusCode } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { turns } from '../../shared/turns.ts'
import { placeOf } from '../expectations.ts'
import type { EventFixture } from '../fixture.ts'
import type { EventHarness } from '../harness.ts'

class Forbidden extends Error {}

export function rejectedTests(harness: EventHarness, fixture: EventFixture): void {
  const { names } = harness
  const handshakes = [names.handshake, ...(names.below ?? [])].sort()

  /** Attributes of the duration of a handshake with this outcome. */
  async function durations(outcome: string): Promise<unknown[]> {
    const rows = await fixture.telemetry.collect('websocket.server.handshake.duration')
    return rows.filter(({ attributes }) => attributes['websocket.handshake.outcome'] === outcome)
  }

  describe('rejected handshake', () => {
    it.each(['at once', 'later'])('has what it was rejected with: %s', async (when) => {
      const host = await fixture.serve({
        authorize() {
          if (when === 'at once') throw new Forbidden('members only')
          return turns(2).then(() => Promise.reject(new Forbidden('members only')))
        },
      })
      await expect(host.connect()).rejects.toThrow()
      const span = await fixture.telemetry.waitForSpan(names.handshake)
      expect(span.attributes).toMatchObject({ ...names.rejected, 'websocket.handshake.outcome': 'rejected' })
      expect(span.status.code).toBe(SpanStatusCode.UNSET)
      expect(await durations('rejected')).toMatchObject([
        {
          count: 1,
          attributes: { ...placeOf(harness), ...names.rejected, 'websocket.handshake.outcome': 'rejected' },
        },
      ])
      const active = await fixture.telemetry.collect('websocket.server.connection.active')
      expect(active.filter(({ value }) => value !== 0)).toEqual([])
      await fixture.settle()
      expect(fixture.telemetry.names()).toEqual(handshakes)
    })
  })

  if (!harness.capabilities.seesAnswers) return
  describe('abandoned handshake', () => {
    it('is one without a decision when its client hangs up, whatever is decided later', async () => {
      let reached: () => void = () => {}
      const undecided = new Promise<void>((resolve) => {
        reached = resolve
      })
      let decide: () => void = () => {}
      const decision = new Promise<void>((resolve) => {
        decide = resolve
      })
      const host = await fixture.serve({
        authorize() {
          reached()
          return decision
        },
      })
      const hangUp = new AbortController()
      host.connect({ signal: hangUp.signal }).catch(() => {})
      await undecided
      hangUp.abort()
      const span = await fixture.telemetry.waitForSpan(names.handshake)
      expect(span.attributes).toMatchObject({ ...names.abandoned, 'websocket.handshake.outcome': 'abandoned' })
      expect(span.status.code).toBe(SpanStatusCode.UNSET)
      expect(await durations('abandoned')).toMatchObject([{ count: 1 }])
      decide()
      await turns()
      await fixture.settle()
      expect(fixture.telemetry.names()).toEqual(handshakes)
    })
  })
}
