import { SpanKind } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { SPAN_ID, TRACE_ID, TRACEPARENT } from '../../../shared/trace-context.ts'
import { foreignVectors } from '../../../shared/vectors.ts'
import { linkTo } from '../../../testing/spans.ts'
import { type Fixture, listen } from '../../fixture.ts'
import type { Harness } from '../../harness.ts'
import { keepMessages, OFFER, withCarrier } from './carriers.ts'

/** Option `messageContext`. */
export function messageContextTests(harness: Harness, fixture: Fixture): void {
  const { route } = harness
  const name = `process ${route}`

  describe('carriers of peers with a format of their own', () => {
    it('are read wherever they stand at the top level, and removed only in the form that is written', async () => {
      const messages: unknown[] = []
      const telemetry = { propagation: 'always', carrierName: 'trace_context' }
      const { client } = await fixture.open({ telemetry, connection: keepMessages(messages) })
      const { carriers } = foreignVectors
      for (const { text } of carriers) client.send(text)
      await fixture.telemetry.waitForSpan(name, carriers.length)
      expect(messages).toEqual(carriers.map(({ payload }) => payload))
      const parents = fixture.telemetry
        .spans(name)
        .sort(
          (a, b) =>
            Number(a.attributes['websocket.message.sequence']) - Number(b.attributes['websocket.message.sequence']),
        )
        .map(({ parentSpanContext: parent }) => parent?.spanId)
      expect(parents).toEqual(carriers.map(({ carrier }) => carrier?.['traceparent']?.slice(36, 52)))
    })
  })

  describe("context in the application's own format", () => {
    /** A message whose first 55 bytes are a trace context. */
    const message = (traceparent: string) => Buffer.concat([Buffer.from(traceparent), Buffer.from([0, 255])])
    const messageContext = (data: unknown, binary: boolean) =>
      binary ? { traceparent: (data as Buffer).toString('latin1', 0, TRACEPARENT.length) } : undefined

    it('is the parent of the process span, and is left where it is', async () => {
      const messages: unknown[] = []
      const { client } = await fixture.open({ telemetry: { messageContext }, connection: keepMessages(messages) })
      client.send(message(TRACEPARENT), { binary: true })
      client.send(TRACEPARENT)
      await fixture.telemetry.waitForSpan(name, 2)
      const [span, text] = fixture.telemetry.spans(name)
      expect(span?.parentSpanContext).toMatchObject({ traceId: TRACE_ID, spanId: SPAN_ID, isRemote: true })
      expect(span?.links).toEqual([linkTo(fixture.telemetry.span(`GET ${route}`))])
      // Whether the sender has a span for this message alone is not known.
      expect(span?.kind).toBe(SpanKind.INTERNAL)
      expect(text?.parentSpanContext).toBeUndefined()
      expect(messages).toEqual([message(TRACEPARENT), TRACEPARENT])
    })

    it.each([
      ['link', undefined, 2],
      ['ignore', undefined, 1],
      [() => 'parent', SPAN_ID, 1],
    ] as const)('is used according to remoteContext: %s', async (remoteContext, parent, links) => {
      const { client } = await fixture.open({ telemetry: { messageContext, remoteContext }, connection: listen })
      client.send(message(TRACEPARENT), { binary: true })
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.parentSpanContext?.spanId).toBe(parent)
      expect(span.links).toHaveLength(links)
    })

    it('is not used where there is a carrier', async () => {
      const { client } = await fixture.open({
        telemetry: { messageContext: () => ({ traceparent: `00-${TRACE_ID}-${'1'.repeat(16)}-01` }) },
        client: OFFER,
        connection: listen,
      })
      client.send(withCarrier('{}'))
      client.send('{}')
      await fixture.telemetry.waitForSpan(name, 2)
      const parents = fixture.telemetry.spans(name).map((span) => span.parentSpanContext?.spanId)
      expect(parents).toEqual([SPAN_ID, '1'.repeat(16)])
    })

    it.each([[null], ['text'], [{}], [{ traceparent: 1 }], [{ tracestate: 'a=b' }]])(
      'is absent where the option returns %j',
      async (returned) => {
        const { client } = await fixture.open({
          telemetry: { messageContext: () => returned as never },
          connection: listen,
        })
        client.send('x')
        const span = await fixture.telemetry.waitForSpan(name)
        expect(span.parentSpanContext).toBeUndefined()
        expect(span.attributes['websocket.message.carrier.error']).toBeUndefined()
      },
    )

    it('is an attribute of the span when it is not valid', async () => {
      const { client } = await fixture.open({ telemetry: { messageContext }, connection: listen })
      client.send(message('x'.repeat(TRACEPARENT.length)), { binary: true })
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.parentSpanContext).toBeUndefined()
      expect(span.attributes['websocket.message.carrier.error']).toBe('invalid')
    })
  })
}
