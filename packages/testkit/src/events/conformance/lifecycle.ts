import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { DELAY, delay, SLACK } from '../../shared/durations.ts'
import { linkTo, milliseconds } from '../../testing/spans.ts'
import { placeOf } from '../expectations.ts'
import type { EventFixture } from '../fixture.ts'
import type { EventHarness } from '../harness.ts'

export function lifecycleTests(harness: EventHarness, fixture: EventFixture): void {
  const { names, closes } = harness

  describe('lifecycle', () => {
    it('tells the handshake once, with the connection that it made', async () => {
      const { connection } = await fixture.open()
      const handshake = fixture.telemetry.span(names.handshake)
      expect(handshake.attributes).toMatchObject({
        ...placeOf(harness),
        'websocket.connection.id': connection.id,
        'websocket.handshake.outcome': 'accepted',
      })
      expect(connection.id).toMatch(/^[0-9a-f]{16}$/)
      expect(connection.route).toBe(names.route)
      expect(handshake.status.code).toBe(SpanStatusCode.UNSET)
    })

    it('covers the connection handler with a child of the handshake that is active in it', async () => {
      let active: string | undefined
      const { connection } = await fixture.open({
        connection: async () => {
          await delay()
          active = trace.getActiveSpan()?.spanContext().spanId
        },
      })
      const open = await fixture.telemetry.waitForSpan(`open ${names.route}`)
      expect(open.kind).toBe(SpanKind.INTERNAL)
      expect(open.parentSpanContext?.spanId).toBe(fixture.telemetry.span(names.handshake).spanContext().spanId)
      expect(open.attributes).toEqual({
        ...placeOf(harness),
        ...names.onOpen,
        'websocket.connection.id': connection.id,
      })
      expect(active).toBe(open.spanContext().spanId)
      expect(milliseconds(open)).toBeGreaterThanOrEqual(DELAY - SLACK)
    })

    it.each(['leave', 'disconnect', 'abort'] as const)('tells one close with totals and reason: %s', async (how) => {
      const { client, connection, socket } = await fixture.open({ events: { hello: (from) => from.emit('answer') } })
      client.emit('hello')
      await client.next()
      if (how === 'leave') await client.leave()
      else if (how === 'abort') client.abort()
      else socket.disconnect()
      await client.closed
      const close = await fixture.telemetry.waitForSpan(`close ${names.route}`)
      await fixture.settle()
      expect(fixture.telemetry.spans(`close ${names.route}`)).toHaveLength(1)
      expect(close.kind).toBe(SpanKind.INTERNAL)
      expect(close.parentSpanContext).toBeUndefined()
      expect(close.links).toEqual([linkTo(fixture.telemetry.span(names.handshake))])
      expect(close.attributes).toMatchObject({
        ...placeOf(harness),
        'websocket.connection.id': connection.id,
        'websocket.close.code': closes[how].code,
        'websocket.close.category': closes[how].category,
        'websocket.close.initiator': closes[how].initiator,
        'websocket.connection.messages.received': 1,
        'websocket.connection.messages.sent': 1,
        'websocket.connection.bytes.received': harness.size('client', 'hello'),
        'websocket.connection.bytes.sent': harness.size('server', 'answer'),
      })
      expect(close.attributes['websocket.connection.duration']).toBeGreaterThan(0)
      expect(close.status.code).toBe(SpanStatusCode.UNSET)
    })

    it('tells a connection as one trace with option traces', async () => {
      const { client } = await fixture.open({
        telemetry: { traces: 'connection' },
        events: { hello: (from) => from.emit('answer') },
      })
      client.emit('hello')
      await client.next()
      await client.leave()
      const connection = await fixture.telemetry.waitForSpan(`connection ${names.route}`)
      const handshake = fixture.telemetry.span(names.handshake)
      expect(connection.parentSpanContext?.spanId).toBe(handshake.spanContext().spanId)
      const process = await fixture.telemetry.waitForSpan('process hello')
      expect(process.parentSpanContext?.spanId).toBe(connection.spanContext().spanId)
      expect(process.links).toEqual([])
      const traces = new Set(['send answer', 'process hello'].map((name) => fixture.telemetry.span(name)).map(traceId))
      expect([...traces]).toEqual([traceId(handshake)])
      expect(connection.attributes['websocket.close.category']).toBe(closes.leave.category)
    })
  })
}

function traceId(span: { spanContext(): { traceId: string } }): string {
  return span.spanContext().traceId
}
