import { describe, expect, it } from 'vitest'
import { echo, type Fixture } from '../fixture.ts'
import type { Harness } from '../harness.ts'

/** One message in each set-up: everything else about messages is in the connection suite, once per adapter. */
export function firstMessageTests(harness: Harness, fixture: Fixture): void {
  const { route } = harness

  describe('first message', () => {
    it('is processed, answered and counted, and its connection is closed', async () => {
      const { client, connection } = await fixture.open({ connection: echo })
      client.send('h\u00e9')
      expect(await client.next()).toBe('h\u00e9')
      await client.close(1000)
      const close = await fixture.telemetry.waitForSpan(`close ${route}`)
      await fixture.settle()
      expect(fixture.telemetry.names()).toEqual(
        [`GET ${route}`, `close ${route}`, `open ${route}`, `process ${route}`, `send ${route}`].sort(),
      )
      const process = fixture.telemetry.span(`process ${route}`)
      const send = fixture.telemetry.span(`send ${route}`)
      expect(send.parentSpanContext?.spanId).toBe(process.spanContext().spanId)
      for (const span of [process, send]) {
        expect(span.attributes).toEqual({
          'websocket.connection.id': connection.id,
          'websocket.route': route,
          'websocket.message.type': 'text',
          'websocket.message.size': 3,
          'websocket.message.sequence': 1,
        })
      }
      expect(close.attributes).toMatchObject({
        'websocket.close.code': 1000,
        'websocket.connection.messages.received': 1,
        'websocket.connection.messages.sent': 1,
      })
    })
  })
}
