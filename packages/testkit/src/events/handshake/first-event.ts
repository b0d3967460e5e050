import { describe, expect, it } from 'vitest'
import type { EventFixture } from '../fixture.ts'
import type { EventHarness } from '../harness.ts'

/** One event in each set-up: everything else about events is in the connection suite, once per adapter. */
export function firstEventTests({ names, size }: EventHarness, fixture: EventFixture): void {
  describe('first event', () => {
    it('is processed, answered and counted, and its connection is closed', async () => {
      const { client } = await fixture.open({
        connection() {},
        events: { hello: (from, data) => from.emit('answer', data) },
      })
      client.emit('hello', 'h\u00e9')
      expect(await client.next()).toEqual({ name: 'answer', data: 'h\u00e9' })
      await client.leave()
      const close = await fixture.telemetry.waitForSpan(`close ${names.route}`)
      await fixture.settle()
      expect(fixture.telemetry.names()).toEqual(
        [
          names.handshake,
          ...(names.below ?? []),
          `close ${names.route}`,
          `open ${names.route}`,
          'process hello',
          'send answer',
        ].sort(),
      )
      const process = fixture.telemetry.span('process hello')
      const send = fixture.telemetry.span('send answer')
      expect(send.parentSpanContext?.spanId).toBe(process.spanContext().spanId)
      expect(process.attributes['websocket.message.size']).toBe(size('client', 'hello', 'h\u00e9'))
      expect(send.attributes['websocket.message.size']).toBe(size('server', 'answer', 'h\u00e9'))
      expect(close.attributes).toMatchObject({
        'websocket.connection.messages.received': 1,
        'websocket.connection.messages.sent': 1,
      })
    })
  })
}
