import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { describe, expect, it } from 'vitest'
import { linkTo } from '../../testing/spans.ts'
import type { EventFixture } from '../fixture.ts'
import type { EventHarness } from '../harness.ts'

const traceId = (span: ReadableSpan): string => span.spanContext().traceId

export function shapeTests(harness: EventHarness, fixture: EventFixture): void {
  const { names, closes, capabilities } = harness
  const name = `connection ${names.route}`

  describe("traces: 'connection'", () => {
    it('is one trace, whose connection span lives until the close', async () => {
      const { client } = await fixture.open({
        telemetry: { traces: 'connection' },
        events: { hello: (from) => from.emit('answer') },
      })
      client.emit('hello')
      await client.next()
      await client.leave()
      const connection = await fixture.telemetry.waitForSpan(name)
      const handshake = fixture.telemetry.span(names.handshake)
      expect(connection.parentSpanContext?.spanId).toBe(handshake.spanContext().spanId)
      const process = await fixture.telemetry.waitForSpan('process hello')
      expect(process.parentSpanContext?.spanId).toBe(connection.spanContext().spanId)
      expect(process.links).toEqual([])
      const traces = new Set(['send answer', 'process hello'].map((each) => fixture.telemetry.span(each)).map(traceId))
      expect([...traces]).toEqual([traceId(handshake)])
      expect(connection.attributes['websocket.close.category']).toBe(closes.leave.category)
      expect(fixture.telemetry.spans(`close ${names.route}`)).toEqual([])
    })

    it('continues in a new linked segment after a number of messages', async () => {
      const { client } = await fixture.open({
        telemetry: { traces: 'connection', maxConnectionSpanMessages: 2, outgoing: false },
        events: { hello: (from) => from.emit('answer') },
      })
      for (let n = 0; n < 3; n++) {
        client.emit('hello')
        await client.next()
      }
      await client.leave()
      const second = await fixture.telemetry.waitForSpan(name, 2)
      const [first] = fixture.telemetry.spans(name) as [ReadableSpan]
      expect(second.parentSpanContext).toBeUndefined()
      expect(second.links).toEqual([linkTo(fixture.telemetry.span(names.handshake)), linkTo(first, 'segment')])
      const children = [first, second].map(
        (segment) =>
          fixture.telemetry
            .spans('process hello')
            .filter((each) => each.parentSpanContext?.spanId === segment.spanContext().spanId).length,
      )
      expect(children).toEqual([2, 1])
      expect(first.attributes).not.toHaveProperty('websocket.close.code')
      expect(second.attributes['websocket.close.code']).toBe(closes.leave.code)
    })

    if (capabilities.shutdownAlone) {
      it('ends open segments at shutdown', async () => {
        const { host, client } = await fixture.open({
          telemetry: { traces: 'connection' },
          events: { hello: (from) => from.emit('answer') },
        })
        expect(fixture.telemetry.spans(name)).toEqual([])
        await host.shutdown()
        expect(fixture.telemetry.span(name).attributes['websocket.span.ended_by']).toBe('shutdown')
        client.emit('hello')
        expect((await client.next()).name).toBe('answer')
      })
    }
  })
}
