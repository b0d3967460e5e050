import { trace } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { traceparentOf } from '../../../shared/trace-context.ts'
import type { EventFixture } from '../../fixture.ts'
import type { EventClient, EventHarness, EventHost } from '../../harness.ts'

export function broadcastContextTests(_: EventHarness, fixture: EventFixture): void {
  describe('context of a broadcast', () => {
    /** Three clients: one without an agreement between two that have agreed. */
    async function audience(): Promise<{ host: EventHost; clients: EventClient[] }> {
      const host = await fixture.serve({})
      const clients: EventClient[] = []
      for (const offer of ['1', undefined, '1']) clients.push(await fixture.connect(host, { offer }))
      return { host, clients }
    }

    it('is one for all that have agreed, and goes to no other client', async () => {
      const { host, clients } = await audience()
      host.broadcast('news', { a: 1 })
      const events = [await clients[0]?.next(), await clients[1]?.next(), await clients[2]?.next()]
      const span = await fixture.telemetry.waitForSpan('broadcast news')
      // The mark says that the span has many children: none is the partner of it in a service graph.
      const carrier = { traceparent: traceparentOf(span), tracestate: 'otelws=b' }
      // A host that sends to one client after the other sends the first before it is a broadcast.
      const { traceparent } = carrier
      expect(events).toEqual([
        { name: 'news', data: { a: 1 }, carrier: expect.objectContaining({ traceparent }) },
        { name: 'news', data: { a: 1 } },
        { name: 'news', data: { a: 1 }, carrier },
      ])
      expect(span.parentSpanContext).toBeUndefined()
      expect(span.attributes['websocket.broadcast.recipients']).toBe(3)
      expect(fixture.telemetry.spans('send news')).toEqual([])
    })

    it('is under the span that it is made in', async () => {
      const { host, clients } = await audience()
      trace.getTracer('app').startActiveSpan('job', (job) => {
        host.broadcast('news', 1)
        job.end()
      })
      const received = await clients[0]?.next()
      const span = await fixture.telemetry.waitForSpan('broadcast news')
      expect(received?.carrier).toMatchObject({ traceparent: traceparentOf(span) })
      expect(span.parentSpanContext?.spanId).toBe(fixture.telemetry.span('job').spanContext().spanId)
    })
  })
}
