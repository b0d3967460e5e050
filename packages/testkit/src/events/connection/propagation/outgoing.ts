import { SpanKind, trace } from '@opentelemetry/api'
import { AlwaysOffSampler } from '@opentelemetry/sdk-trace'
import { describe, expect, it } from 'vitest'
import { TRACE_ID, TRACEPARENT, traceparentOf } from '../../../shared/trace-context.ts'
import { linkTo } from '../../../testing/spans.ts'
import type { EventFixture } from '../../fixture.ts'
import type { EventHarness } from '../../harness.ts'

const client = { offer: '1' }

export function outgoingContextTests(harness: EventHarness, fixture: EventFixture): void {
  const { names } = harness

  describe('context that goes out', () => {
    it('in a handler is that of the send span, which continues the trace of the event', async () => {
      const opened = await fixture.open({ client, events: { hello: (from, data) => from.emit('answer', data) } })
      opened.client.emit('hello', { a: 1 }, { traceparent: TRACEPARENT })
      const received = await opened.client.next()
      const span = await fixture.telemetry.waitForSpan('send answer')
      const process = await fixture.telemetry.waitForSpan('process hello')
      expect(received).toEqual({ name: 'answer', data: { a: 1 }, carrier: { traceparent: traceparentOf(span) } })
      expect(span.spanContext().traceId).toBe(TRACE_ID)
      expect(span.parentSpanContext?.spanId).toBe(process.spanContext().spanId)
      if (harness.type === 'text') {
        expect(span.attributes['websocket.message.size']).toBe(harness.size('server', 'answer', { a: 1 }))
      }
    })

    it('outside of any span is that of a send span like any other', async () => {
      const { client: receiver, socket } = await fixture.open({ client })
      socket.emit('news', 1)
      const received = await receiver.next()
      const span = await fixture.telemetry.waitForSpan('send news')
      expect(received).toEqual({ name: 'news', data: 1, carrier: { traceparent: traceparentOf(span) } })
      expect(span.kind).toBe(SpanKind.PRODUCER)
      expect(span.parentSpanContext).toBeUndefined()
      expect(span.links).toEqual([linkTo(fixture.telemetry.span(names.handshake))])
    })

    it('is that of the span around it where it has no span of its own', async () => {
      const { client: receiver, socket } = await fixture.open({ telemetry: { outgoing: false }, client })
      socket.emit('before', 1)
      trace.getTracer('app').startActiveSpan('job', (span) => {
        socket.emit('news', 2)
        span.end()
      })
      expect(await receiver.next()).toEqual({ name: 'before', data: 1 })
      const carrier = { traceparent: traceparentOf(fixture.telemetry.span('job')) }
      expect(await receiver.next()).toEqual({ name: 'news', data: 2, carrier })
    })

    it('has the sampling decision of an event that is not sampled', async () => {
      const { client: receiver, socket } = await fixture.open({ client })
      fixture.telemetry.sampler = new AlwaysOffSampler()
      socket.emit('news', 1)
      expect((await receiver.next()).carrier?.['traceparent']).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
    })
  })
}
