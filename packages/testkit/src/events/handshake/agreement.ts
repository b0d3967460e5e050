import { describe, expect, it } from 'vitest'
import { TRACEPARENT } from '../../shared/trace-context.ts'
import type { EventFixture } from '../fixture.ts'
import type { EventHarness } from '../harness.ts'

/** How peers agree to context in messages. */
export function agreementTests(_: EventHarness, fixture: EventFixture): void {
  describe('agreement', () => {
    it('is sent to a client that offers it, with the id of the connection', async () => {
      const { client, connection } = await fixture.open({ client: { offer: '1' } })
      expect(client.agreement).toBe(connection.id)
    })

    it.each([
      ['a client that does not offer it', {}, undefined],
      ['a client of another version', {}, '2'],
      ["a client that offers it, with propagation: 'off'", { propagation: 'off' }, '1'],
    ])('is not made with %s', async (_, telemetry, offer) => {
      const { client } = await fixture.open({
        telemetry,
        client: { offer },
        events: { hello: (from) => from.emit('answer') },
      })
      expect(client.agreement).toBeUndefined()
      client.emit('hello', 1, { traceparent: TRACEPARENT })
      expect(await client.next()).toEqual({ name: 'answer', data: undefined })
      const process = await fixture.telemetry.waitForSpan('process hello')
      expect(process.parentSpanContext).toBeUndefined()
      expect(process.attributes).not.toHaveProperty('websocket.message.carrier.error')
    })
  })
}
