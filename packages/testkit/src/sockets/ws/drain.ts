import { expect, it } from 'vitest'
import type { Harness } from '../harness.ts'
import type { WsFixture } from '../ws-fixture.ts'

/** What an operator sees while the host closes. */
export function drainTests({ route }: Harness, fixture: WsFixture): void {
  it('that a closing host still holds are counted, and how long it holds them is recorded', async () => {
    const { telemetry } = fixture
    const host = await fixture.serve({ connection: () => {} })
    await fixture.connect(host)
    await fixture.connect(host)
    await telemetry.waitForSpan(`open ${route}`, 2)
    expect(await telemetry.collect('websocket.server.connection.draining')).toEqual([])
    await host.close()
    await telemetry.waitForSpan(`close ${route}`, 2)
    const attributes = { 'websocket.route': route }
    expect(await telemetry.collect('websocket.server.connection.draining')).toMatchObject([{ value: 0, attributes }])
    expect(await telemetry.collect('websocket.server.connection.drain.duration')).toMatchObject([
      { count: 2, attributes },
    ])
  })
}
