import { SpanKind, trace } from '@opentelemetry/api'
import { AlwaysOffSampler } from '@opentelemetry/sdk-trace'
import { describe, expect, it } from 'vitest'
import { TRACE_ID } from '../../../shared/trace-context.ts'
import { linkTo } from '../../../testing/spans.ts'
import type { Fixture } from '../../fixture.ts'
import type { Harness } from '../../harness.ts'
import { OFFER, withCarrier, withContextOf } from './carriers.ts'

export function outgoingContextTests(harness: Harness, fixture: Fixture): void {
  const { route } = harness
  const name = `send ${route}`

  describe('context that goes out', () => {
    it('in a handler is that of the send span', async () => {
      const { client } = await fixture.open({
        client: OFFER,
        connection: (socket) => socket.onMessage(() => socket.send('{"type":"answer"}')),
      })
      client.send(withCarrier('{}'))
      const wire = await client.next()
      const span = await fixture.telemetry.waitForSpan(name)
      const process = await fixture.telemetry.waitForSpan(`process ${route}`)
      expect(wire).toBe(withContextOf(span, '{"type":"answer"}'))
      expect(span.spanContext().traceId).toBe(TRACE_ID)
      expect(span.parentSpanContext?.spanId).toBe(process.spanContext().spanId)
      expect(span.links).toEqual([])
      expect(span.attributes['websocket.message.size']).toBe(17)
    })

    it('outside of any span is that of a send span like any other', async () => {
      const { client, socket, connection } = await fixture.open({ client: OFFER })
      connection.setAttribute('enduser.id', 'ada')
      socket.send('{"a":1}')
      const wire = await client.next()
      const span = await fixture.telemetry.waitForSpan(name)
      expect(wire).toBe(withContextOf(span, '{"a":1}'))
      expect(span.kind).toBe(SpanKind.PRODUCER)
      expect(span.parentSpanContext).toBeUndefined()
      expect(span.links).toEqual([linkTo(fixture.telemetry.span(`GET ${route}`))])
      expect(span.attributes).toEqual({
        'websocket.connection.id': connection.id,
        'websocket.route': route,
        'enduser.id': 'ada',
        'websocket.message.type': 'text',
        'websocket.message.size': 7,
        'websocket.message.sequence': 1,
      })
      await client.close()
      const close = await fixture.telemetry.waitForSpan(`close ${route}`)
      expect(close.attributes['websocket.connection.bytes.sent']).toBe(7)
    })

    it("with traces: 'connection' is that of a child of the connection span", async () => {
      const { client, socket } = await fixture.open({ telemetry: { traces: 'connection' }, client: OFFER })
      socket.send('{}')
      const wire = await client.next()
      const span = await fixture.telemetry.waitForSpan(name)
      await client.close()
      const connection = await fixture.telemetry.waitForSpan(`connection ${route}`)
      expect(wire).toBe(withContextOf(span, '{}'))
      expect(span.parentSpanContext?.spanId).toBe(connection.spanContext().spanId)
      expect(span.links).toEqual([])
    })

    it('is that of the span around it where it has no span of its own', async () => {
      const { client, socket } = await fixture.open({ telemetry: { outgoing: false }, client: OFFER })
      socket.send('{"before":1}')
      trace.getTracer('app').startActiveSpan('job', (span) => {
        socket.send('{}')
        span.end()
      })
      expect(await client.next()).toBe('{"before":1}')
      expect(await client.next()).toBe(withContextOf(fixture.telemetry.span('job'), '{}'))
      expect(fixture.telemetry.spans(name)).toEqual([])
    })

    it('has the sampling decision of a message that is not sampled', async () => {
      const { client, socket } = await fixture.open({ client: OFFER })
      fixture.telemetry.sampler = new AlwaysOffSampler()
      socket.send('{}')
      expect(await client.next()).toMatch(/^\{"_otel":\{"traceparent":"00-[0-9a-f]{32}-[0-9a-f]{16}-00"\}\}$/)
    })

    it.each([
      ['a binary message', Buffer.from('{"a":1}'), true],
      ['an array', '[1]', false],
      ['white space first', ' {}', false],
      ['an empty text', '', false],
    ])('does not go with %s', async (_, data, binary) => {
      const { client, socket } = await fixture.open({ client: OFFER })
      socket.send(data)
      expect(await client.nextMessage()).toEqual({ data: Buffer.from(data), binary })
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.links).toHaveLength(1)
    })

    it('is empty with a text that begins as if it had one', async () => {
      const { client, socket } = await fixture.open({ telemetry: { messages: false }, client: OFFER })
      socket.send(withCarrier('{"a":1}'))
      expect(await client.next()).toBe(withCarrier(withCarrier('{"a":1}'), ''))
      socket.send('{"_otel":1}')
      expect(await client.next()).toBe('{"_otel":1}')
    })
  })
}
