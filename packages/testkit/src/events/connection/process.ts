import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { DELAY, delay, SLACK } from '../../shared/durations.ts'
import { linkTo, milliseconds } from '../../testing/spans.ts'
import { placeOf } from '../expectations.ts'
import type { EventFixture } from '../fixture.ts'
import type { EventHarness } from '../harness.ts'

export function processTests(harness: EventHarness, fixture: EventFixture): void {
  const { names, capabilities, type } = harness

  describe('process', () => {
    it('is an INTERNAL root named by the event, with one link to the handshake', async () => {
      const { client, connection } = await fixture.open({ events: { hello: () => {} } })
      client.emit('hello', 'y\u00f6u')
      const span = await fixture.telemetry.waitForSpan('process hello')
      expect(span.kind).toBe(SpanKind.INTERNAL)
      expect(span.parentSpanContext).toBeUndefined()
      expect(span.links).toEqual([linkTo(fixture.telemetry.span(names.handshake))])
      expect(span.attributes).toEqual({
        ...placeOf(harness),
        ...names.onProcess?.('hello'),
        'websocket.connection.id': connection.id,
        'websocket.message.name': 'hello',
        'websocket.message.type': type,
        'websocket.message.size': harness.size('client', 'hello', 'y\u00f6u'),
        'websocket.message.sequence': 1,
      })
      expect(span.status).toEqual({ code: SpanStatusCode.UNSET })
      expect(span.events).toEqual([])
    })

    it('counts messages in sequence, whatever their names', async () => {
      const { client } = await fixture.open({ events: { one: () => {}, two: () => {} } })
      for (const name of ['one', 'two', 'one']) client.emit(name, { some: ['data', 1] })
      await fixture.telemetry.waitForSpan('process one', 2)
      const messages = fixture.telemetry
        .spans()
        .filter((span) => span.name.startsWith('process '))
        .map((span) => [span.name, span.attributes['websocket.message.sequence']])
      expect(messages).toEqual([
        ['process one', 1],
        ['process two', 2],
        ['process one', 3],
      ])
    })

    it('is active in the handler, also after an await, and lasts until the handler has settled', async () => {
      const active: (string | undefined)[] = []
      const note = () => active.push(trace.getActiveSpan()?.spanContext().spanId)
      const { client } = await fixture.open({
        events: {
          async hello() {
            note()
            await delay()
            note()
          },
        },
      })
      client.emit('hello')
      const span = await fixture.telemetry.waitForSpan('process hello')
      expect(active).toEqual([span.spanContext().spanId, span.spanContext().spanId])
      expect(milliseconds(span)).toBeGreaterThanOrEqual(DELAY - SLACK)
    })

    it('is not made of events that option ignore names, and of none with messages: false', async () => {
      const { client } = await fixture.open({
        telemetry: { ignore: { messages: ['noise'] } },
        events: { noise: (from) => from.emit('noise'), hello: (from) => from.emit('answer') },
      })
      client.emit('noise')
      client.emit('hello')
      await fixture.telemetry.waitForSpan('send answer')
      await client.leave()
      await fixture.telemetry.waitForSpan(`close ${names.route}`)
      expect(fixture.telemetry.names().filter((name) => name.includes('noise'))).toEqual([])

      const lean = await fixture.open({
        telemetry: { messages: false },
        events: { quiet: (from) => from.emit('quiet') },
      })
      lean.client.emit('quiet')
      await lean.client.next()
      await lean.client.leave()
      await fixture.telemetry.waitForSpan(`close ${names.route}`, 2)
      expect(fixture.telemetry.names().filter((name) => name.includes('quiet'))).toEqual([])
    })

    if (!capabilities.shutdownAlone) return
    it('of a handler that never settles ends with the telemetry', async () => {
      const { client, host } = await fixture.open({
        events: { hang: async () => new Promise(() => {}), hello: (from) => from.emit('answer') },
      })
      client.emit('hang')
      client.emit('hello')
      await client.next()
      await host.shutdown()
      expect(fixture.telemetry.span('process hang').attributes['websocket.span.ended_by']).toBe('shutdown')
    })
  })
}
