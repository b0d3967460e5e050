import { context, propagation, ROOT_CONTEXT } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { TRACEPARENT } from '../../../shared/trace-context.ts'
import { CONFIRMATION, QUERY_OFFER } from '../../../testing/offer.ts'
import type { Fixture } from '../../fixture.ts'
import type { Harness, HostSocket } from '../../harness.ts'
import { BROWSER, OFFER, withCarrier } from './carriers.ts'

export function baggageTests({ route }: Harness, fixture: Fixture): void {
  const tenant = () => propagation.getActiveBaggage()?.getEntry('tenant')?.value

  /** Keeps the tenant that a handler has in its context, and in that of what it does later. */
  function keepTenants(tenants: unknown[]) {
    return (socket: HostSocket) =>
      socket.onMessage(async () => {
        const first = tenant()
        await new Promise(setImmediate)
        tenants.push([first, tenant()])
      })
  }

  describe('baggage', () => {
    const wire = withCarrier('{}', `"traceparent":"${TRACEPARENT}","baggage":"tenant=blue"`)

    it.each([
      ['a Node client', {}, OFFER, 'blue'],
      ['a browser', {}, BROWSER, undefined],
      ['a browser that is trusted', { remoteContext: 'parent' }, BROWSER, 'blue'],
      ['a peer whose context is a link', { remoteContext: 'link' }, OFFER, undefined],
      ['a peer that is not trusted', { remoteContext: 'ignore' }, OFFER, undefined],
    ])('of %s is in the context of its messages as far as it is trusted', async (_, telemetry, client, expected) => {
      const tenants: unknown[] = []
      const opened = await fixture.open({ telemetry, client, connection: keepTenants(tenants) })
      opened.client.send(wire)
      await fixture.telemetry.waitForSpan(`process ${route}`)
      expect(tenants).toEqual([[expected, expected]])
    })

    it('of a client that offers context in the query is that of a browser', async () => {
      const tenants: unknown[] = []
      const { client } = await fixture.open({ client: { query: QUERY_OFFER }, connection: keepTenants(tenants) })
      client.send(CONFIRMATION)
      client.send(wire)
      await fixture.telemetry.waitForSpan(`process ${route}`)
      expect(tenants).toEqual([[undefined, undefined]])
    })

    it.each([
      ['not to a client, by default', {}, false],
      ['to a client that is trusted', { remoteContext: 'parent' }, true],
      ['not to a client whose context is a link', { remoteContext: 'link' }, false],
    ])('goes out %s', async (_, telemetry, goes) => {
      const { client, socket } = await fixture.open({ telemetry, client: OFFER })
      const baggage = propagation.createBaggage({ tenant: { value: 'blue' } })
      context.with(propagation.setBaggage(ROOT_CONTEXT, baggage), () => socket.send('{}'))
      expect((await client.next()).includes('"baggage":"tenant=blue"')).toBe(goes)
    })
  })
}
