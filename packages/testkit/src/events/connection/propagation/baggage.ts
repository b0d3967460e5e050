import { context, propagation, ROOT_CONTEXT } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { TRACEPARENT } from '../../../shared/trace-context.ts'
import type { EventFixture } from '../../fixture.ts'
import type { EventHarness } from '../../harness.ts'

export function baggageTests(_: EventHarness, fixture: EventFixture): void {
  const tenant = () => propagation.getActiveBaggage()?.getEntry('tenant')?.value

  describe('baggage', () => {
    it.each([
      ['of a peer that is trusted is in the context of its events', 'parent', 'blue'],
      ['of a peer whose context is a link is not used', 'link', undefined],
      ['of a peer that is not trusted is not used', 'ignore', undefined],
    ])('%s', async (_what, remoteContext, expected) => {
      const tenants: unknown[] = []
      const { client } = await fixture.open({
        telemetry: { remoteContext },
        client: { offer: '1' },
        events: {
          async hello() {
            tenants.push(tenant())
            await new Promise(setImmediate)
            tenants.push(tenant())
          },
        },
      })
      client.emit('hello', 1, { traceparent: TRACEPARENT, baggage: 'tenant=blue' })
      await fixture.telemetry.waitForSpan('process hello')
      expect(tenants).toEqual([expected, expected])
    })

    it.each([
      ['goes out to a client that is trusted', 'parent', 'tenant=blue'],
      ['does not go out to a client whose context is a link', 'link', undefined],
    ])('%s', async (_what, remoteContext, expected) => {
      const { client, socket } = await fixture.open({ telemetry: { remoteContext }, client: { offer: '1' } })
      const baggage = propagation.createBaggage({ tenant: { value: 'blue' } })
      context.with(propagation.setBaggage(ROOT_CONTEXT, baggage), () => socket.emit('news', 1))
      expect((await client.next()).carrier?.['baggage']).toBe(expected)
    })
  })
}
