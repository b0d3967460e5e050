import { describe, expect, it } from 'vitest'
import { pathOf } from '../../shared/path-of.ts'
import { SPAN_ID, TRACE_ID, TRACEPARENT } from '../../shared/trace-context.ts'
import type { Fixture } from '../fixture.ts'
import type { Harness } from '../harness.ts'

export function remoteContextTests(harness: Harness, fixture: Fixture): void {
  const name = `GET ${harness.route}`
  const headers = { traceparent: TRACEPARENT }

  describe('context of the handshake', () => {
    it('is the parent, with its trace state, when it comes in headers', async () => {
      await fixture.open({ client: { headers: { ...headers, tracestate: 'vendor=1' } } })
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.spanContext().traceId).toBe(TRACE_ID)
      expect(span.parentSpanContext?.spanId).toBe(SPAN_ID)
      expect(span.spanContext().traceState?.serialize()).toBe('vendor=1')
      expect(span.links).toEqual([])
    })

    it('is the parent when it comes in the query, which browsers use, and is not recorded there', async () => {
      await fixture.open({ client: { query: `?a=1&traceparent=${TRACEPARENT}` } })
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.parentSpanContext?.spanId).toBe(SPAN_ID)
      expect(span.attributes['url.query']).toBe('a=1&traceparent=REDACTED')
    })

    it('is taken from the headers before the query', async () => {
      const other = '00-11111111111111111111111111111111-2222222222222222-01'
      await fixture.open({ client: { query: `?traceparent=${other}`, headers } })
      expect((await fixture.telemetry.waitForSpan(name)).parentSpanContext?.spanId).toBe(SPAN_ID)
    })

    it.each([
      ['empty', ''],
      ['of another version length', `00-${TRACE_ID}-${SPAN_ID}`],
      ['all zero', '00-00000000000000000000000000000000-0000000000000000-01'],
      ['not hexadecimal', `00-${TRACE_ID.replace('0', 'x')}-${SPAN_ID}-01`],
      ['version ff', `ff-${TRACE_ID}-${SPAN_ID}-01`],
      ['very long', `00-${TRACE_ID}-${SPAN_ID}-01${'0'.repeat(4000)}`],
      ['not ASCII', '00-\u00e9\u00e9-\u00fc-01'],
    ])('is ignored when its traceparent is %s', async (_what, traceparent) => {
      await fixture.open({ client: { headers: { traceparent } } })
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.parentSpanContext).toBeUndefined()
      expect(span.attributes['websocket.handshake.outcome']).toBe('accepted')
    })

    it("is a link with remoteContext: 'link'", async () => {
      await fixture.open({ telemetry: { remoteContext: 'link' }, client: { headers } })
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.parentSpanContext).toBeUndefined()
      expect(span.links.map((link) => link.context.spanId)).toEqual([SPAN_ID])
    })

    it("is ignored with remoteContext: 'ignore'", async () => {
      await fixture.open({ telemetry: { remoteContext: 'ignore' }, client: { headers } })
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.parentSpanContext).toBeUndefined()
      expect(span.links).toEqual([])
      expect(span.spanContext().traceId).not.toBe(TRACE_ID)
    })

    it('is used as a function of the request returns', async () => {
      const urls: unknown[] = []
      const remoteContext = (request: { url?: string }): string => {
        urls.push(pathOf(request))
        return request.url?.includes('inside') ? 'parent' : 'ignore'
      }
      const host = await fixture.serve({ telemetry: { remoteContext }, connection() {} })
      await fixture.connect(host, { query: '?inside', headers })
      await fixture.connect(host, { query: '?outside', headers })
      const second = await fixture.telemetry.waitForSpan(name, 2)
      const [first] = fixture.telemetry.spans(name)
      expect(first?.parentSpanContext?.spanId).toBe(SPAN_ID)
      expect(second.parentSpanContext).toBeUndefined()
      expect(urls).toEqual(['/chat/lobby?inside', '/chat/lobby?outside'])
    })
  })
}
