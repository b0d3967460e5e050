import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { AlwaysOffSampler, ParentBasedSampler } from '@opentelemetry/sdk-trace'
import { describe, expect, it } from 'vitest'
import { SPAN_ID, TRACE_ID, TRACEPARENT } from '../../../shared/trace-context.ts'
import type { EventFixture } from '../../fixture.ts'
import type { Carrier, EventHarness } from '../../harness.ts'

const client = { offer: '1' }
const CARRIER = { traceparent: TRACEPARENT }

export function incomingContextTests(harness: EventHarness, fixture: EventFixture): void {
  const { names } = harness
  const hello = 'process hello'

  describe('context that comes in', () => {
    it('is the parent of the process span, and neither handlers nor sizes include it', async () => {
      const data: unknown[] = []
      const opened = await fixture.open({ client, events: { hello: (_, given) => void data.push(given) } })
      opened.client.emit('hello', { a: 1 }, CARRIER)
      opened.client.emit('hello', undefined, CARRIER)
      await fixture.telemetry.waitForSpan(hello, 2)
      const [span] = fixture.telemetry.spans(hello)
      expect(data).toEqual([{ a: 1 }, undefined])
      expect(span?.spanContext().traceId).toBe(TRACE_ID)
      expect(span?.parentSpanContext).toMatchObject({ traceId: TRACE_ID, spanId: SPAN_ID, isRemote: true })
      expect(span?.kind).toBe(SpanKind.CONSUMER)
      // Service graphs would look for its partner among its links.
      expect(span?.links).toEqual([])
      if (harness.type === 'text') {
        expect(span?.attributes['websocket.message.size']).toBe(harness.size('client', 'hello', { a: 1 }))
      }
    })

    it('belongs to its event alone, and has the trace state', async () => {
      const opened = await fixture.open({ client, events: { hello: () => {} } })
      opened.client.emit('hello', 1, { ...CARRIER, tracestate: 'vendor=value' })
      opened.client.emit('hello', 2)
      await fixture.telemetry.waitForSpan(hello, 2)
      const [first, second] = fixture.telemetry.spans(hello)
      expect(first?.spanContext().traceState?.serialize()).toBe('vendor=value')
      expect(second?.parentSpanContext).toBeUndefined()
    })

    it("is a link beside that to the handshake with remoteContext: 'link'", async () => {
      const opened = await fixture.open({
        telemetry: { remoteContext: 'link' },
        client,
        events: { hello: () => {} },
      })
      opened.client.emit('hello', 1, CARRIER)
      const span = await fixture.telemetry.waitForSpan(hello)
      expect(span.parentSpanContext).toBeUndefined()
      expect(span.links.map(({ context, attributes }) => [context.spanId, attributes])).toEqual([
        [fixture.telemetry.span(names.handshake).spanContext().spanId, { 'websocket.link.kind': 'handshake' }],
        [SPAN_ID, { 'websocket.link.kind': 'message' }],
      ])
    })

    it("is not used, and taken out all the same, with remoteContext: 'ignore'", async () => {
      const data: unknown[] = []
      const opened = await fixture.open({
        telemetry: { remoteContext: 'ignore' },
        client,
        events: { hello: (_, given) => void data.push(given) },
      })
      opened.client.emit('hello', undefined, CARRIER)
      const span = await fixture.telemetry.waitForSpan(hello)
      expect(span.parentSpanContext).toBeUndefined()
      expect(span.links).toHaveLength(1)
      expect(data).toEqual([undefined])
    })

    it('is the parent rather than the connection span', async () => {
      const opened = await fixture.open({
        telemetry: { traces: 'connection' },
        client,
        events: { hello: () => {} },
      })
      opened.client.emit('hello', 1, CARRIER)
      const span = await fixture.telemetry.waitForSpan(hello)
      expect(span.parentSpanContext?.spanId).toBe(SPAN_ID)
    })

    it('has the sampling decision for a sampler that follows the parent', async () => {
      const opened = await fixture.open({ client, events: { hello: (from) => from.emit('answer') } })
      fixture.telemetry.sampler = new ParentBasedSampler({ root: new AlwaysOffSampler() })
      for (const traceparent of [TRACEPARENT, `${TRACEPARENT.slice(0, -1)}0`]) {
        opened.client.emit('hello', 1, { traceparent })
        await opened.client.next()
      }
      await fixture.settle()
      expect(fixture.telemetry.spans(hello)).toHaveLength(1)
    })

    it.each<[string, Carrier, string]>([
      ['a value that is no text', { traceparent: 1 } as never, 'malformed'],
      ['a member that no carrier has', { ...CARRIER, more: '1' }, 'malformed'],
      ['a traceparent that is not valid', { traceparent: '00-1-2-01' }, 'invalid'],
    ])('is not used, and logged once, when it has %s', async (_, carrier, problem) => {
      const opened = await fixture.open({ client, events: { hello: () => {} } })
      opened.client.emit('hello', 1, carrier)
      opened.client.emit('hello', 2, carrier)
      const span = await fixture.telemetry.waitForSpan(hello, 2)
      expect(span.parentSpanContext).toBeUndefined()
      expect(span.status.code).toBe(SpanStatusCode.UNSET)
      expect(span.attributes['websocket.message.carrier.error']).toBe(problem)
      expect(fixture.telemetry.diagnostics.filter((line) => line.includes(problem))).toHaveLength(1)
    })

    it('is taken out without an SDK as well', async () => {
      await fixture.telemetry.uninstall()
      const opened = await fixture.open({
        client,
        events: { hello: (from, given) => from.emit('answer', given === undefined) },
      })
      opened.client.emit('hello', undefined, CARRIER)
      expect(await opened.client.next()).toEqual({ name: 'answer', data: true })
    })
  })
}
