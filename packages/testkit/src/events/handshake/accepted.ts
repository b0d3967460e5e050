import { SpanStatusCode, trace } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { SPAN_ID, TRACE_ID, TRACEPARENT } from '../../shared/trace-context.ts'
import { placeOf } from '../expectations.ts'
import type { EventFixture } from '../fixture.ts'
import type { EventHarness } from '../harness.ts'

export function acceptedTests(harness: EventHarness, fixture: EventFixture): void {
  const { names } = harness
  const headers = { traceparent: TRACEPARENT }

  describe('accepted handshake', () => {
    it('is one span, with the connection that it made', async () => {
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

    it('of several clients at once is a span each', async () => {
      const host = await fixture.serve({})
      await Promise.all(Array.from({ length: 10 }, () => fixture.connect(host)))
      await fixture.telemetry.waitForSpan(names.handshake, 10)
      const ids = fixture.telemetry.spans(names.handshake).map((span) => span.attributes['websocket.connection.id'])
      expect(new Set(ids).size).toBe(10)
    })

    it('is active where the application decides on the client, also after an await', async () => {
      const active: unknown[] = []
      await fixture.open({
        async authorize() {
          active.push(trace.getActiveSpan()?.spanContext().spanId)
          await null
          active.push(trace.getActiveSpan()?.spanContext().spanId)
        },
      })
      const { spanId } = fixture.telemetry.span(names.handshake).spanContext()
      expect(active).toEqual([spanId, spanId])
    })

    it('continues the trace in the headers of the request', async () => {
      await fixture.open({ telemetry: { remoteContext: 'parent' }, client: { headers } })
      const handshake = fixture.telemetry.span(names.handshake)
      expect(handshake.spanContext().traceId).toBe(TRACE_ID)
    })

    it.each([
      ['link', 1],
      ['ignore', 0],
    ])('does not continue that trace with remoteContext: %s', async (remoteContext, links) => {
      await fixture.open({ telemetry: { remoteContext }, client: { headers } })
      const handshakes = [names.handshake, ...(names.below ?? [])].map((name) => fixture.telemetry.span(name))
      for (const span of handshakes) expect(span.spanContext().traceId).not.toBe(TRACE_ID)
      const linked = handshakes.flatMap((span) => span.links).filter(({ context }) => context.spanId === SPAN_ID)
      expect(linked).toHaveLength(links)
    })

    it('is not made with enabled: false, nor is any other span', async () => {
      const host = await fixture.serve({
        telemetry: { enabled: false },
        events: { hello: (from) => from.emit('answer') },
      })
      const client = await fixture.connect(host)
      client.emit('hello')
      expect((await client.next()).name).toBe('answer')
      await client.leave()
      await fixture.settle()
      expect(fixture.telemetry.counts()).toEqual({ started: 0, ended: 0 })
    })
  })
}
