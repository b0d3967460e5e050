import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { AlwaysOffSampler, ParentBasedSampler } from '@opentelemetry/sdk-trace'
import { describe, expect, it } from 'vitest'
import { SPAN_ID, TRACE_ID, TRACEPARENT } from '../../../shared/trace-context.ts'
import { jsonTextVectors } from '../../../shared/vectors.ts'
import { encodeFrame, OPCODE } from '../../../testing/frames.ts'
import { echo, type Fixture, listen } from '../../fixture.ts'
import type { Harness } from '../../harness.ts'
import { keepMessages, OFFER, withCarrier, withContextOf } from './carriers.ts'

/** Vectors that go over a socket here, by name; core runs all of them on its own. */
const REFUSED = ['white space in the carrier', '__proto__', 'a carrier that never ends']
const INVALID = ['version ff', 'a trace id of zeros', 'too short']

/** The vectors of these names; throws when one does not exist. */
function named<V extends { readonly name: string }>(vectors: readonly V[], names: readonly string[]): V[] {
  return names.map((name) => {
    const vector = vectors.find((each) => each.name === name)
    if (vector === undefined) throw new Error(`no vector is named '${name}'`)
    return vector
  })
}

export function incomingContextTests(harness: Harness, fixture: Fixture): void {
  const { route } = harness
  const name = `process ${route}`

  describe('context that comes in', () => {
    it('is the parent of the process span, which has no link, and is taken out', async () => {
      const messages: unknown[] = []
      const { client, connection } = await fixture.open({ client: OFFER, connection: keepMessages(messages) })
      client.send(withCarrier('{"type":"chat"}'))
      const span = await fixture.telemetry.waitForSpan(name)
      expect(messages).toEqual(['{"type":"chat"}'])
      expect(span.kind).toBe(SpanKind.CONSUMER)
      expect(span.spanContext().traceId).toBe(TRACE_ID)
      expect(span.parentSpanContext).toMatchObject({ traceId: TRACE_ID, spanId: SPAN_ID, isRemote: true })
      expect(span.links).toEqual([])
      expect(span.attributes).toEqual({
        'websocket.connection.id': connection.id,
        'websocket.route': route,
        'websocket.message.type': 'text',
        'websocket.message.size': 15,
        'websocket.message.sequence': 1,
      })
    })

    it('has the trace state', async () => {
      const { client } = await fixture.open({ client: OFFER, connection: listen })
      client.send(withCarrier('{}', `"traceparent":"${TRACEPARENT}","tracestate":"vendor=value"`))
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.spanContext().traceState?.serialize()).toBe('vendor=value')
    })

    it('belongs to its message alone', async () => {
      const { client } = await fixture.open({ client: OFFER, connection: listen })
      client.send(withCarrier('{}'))
      client.send('{}')
      client.send(withCarrier('{}'))
      client.send(Buffer.from('{}'), { binary: true })
      await fixture.telemetry.waitForSpan(name, 4)
      const parents = fixture.telemetry.spans(name).map((span) => span.parentSpanContext?.spanId)
      expect(parents).toEqual([SPAN_ID, undefined, SPAN_ID, undefined])
    })

    it('is not used to name the message', async () => {
      const { client } = await fixture.open({
        telemetry: { messageName: '$.type' },
        client: OFFER,
        connection: listen,
      })
      client.send(withCarrier('{"type":"chat"}'))
      const span = await fixture.telemetry.waitForSpan('process chat')
      expect(span.parentSpanContext?.spanId).toBe(SPAN_ID)
    })

    it("is a link beside that to the handshake with remoteContext: 'link'", async () => {
      const { client } = await fixture.open({
        telemetry: { remoteContext: 'link' },
        client: OFFER,
        connection: listen,
      })
      client.send(withCarrier('{}'))
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.parentSpanContext).toBeUndefined()
      expect(span.spanContext().traceId).not.toBe(TRACE_ID)
      expect(
        span.links.map(({ context, attributes }) => [context.spanId, attributes?.['websocket.link.kind']]),
      ).toEqual([
        [fixture.telemetry.span(`GET ${route}`).spanContext().spanId, 'handshake'],
        [SPAN_ID, 'message'],
      ])
    })

    it("is not used, and taken out all the same, with remoteContext: 'ignore'", async () => {
      const messages: unknown[] = []
      const { client } = await fixture.open({
        telemetry: { remoteContext: 'ignore' },
        client: OFFER,
        connection: keepMessages(messages),
      })
      client.send(withCarrier('{"a":1}'))
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.parentSpanContext).toBeUndefined()
      expect(span.links).toHaveLength(1)
      expect(messages).toEqual(['{"a":1}'])
    })

    it('is used as a function of the request returns, which is called once per connection', async () => {
      const urls: string[] = []
      const remoteContext = (request: { url: string }) => {
        urls.push(request.url)
        return request.url.includes('trusted') ? 'parent' : 'link'
      }
      const { client, host } = await fixture.open({
        telemetry: { remoteContext },
        connection: listen,
        client: { ...OFFER, query: '?trusted' },
      })
      const stranger = await fixture.connect(host, OFFER)
      client.send(withCarrier('{}'))
      await fixture.telemetry.waitForSpan(name)
      stranger.send(withCarrier('{}'))
      await fixture.telemetry.waitForSpan(name, 2)
      const [trusted, other] = fixture.telemetry.spans(name)
      expect(trusted?.parentSpanContext?.spanId).toBe(SPAN_ID)
      expect(other?.parentSpanContext).toBeUndefined()
      expect(other?.links).toHaveLength(2)
      expect(urls).toHaveLength(2)
    })

    it('is the parent rather than the connection span', async () => {
      const { client } = await fixture.open({
        telemetry: { traces: 'connection' },
        client: OFFER,
        connection: listen,
      })
      client.send(withCarrier('{}'))
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.parentSpanContext?.spanId).toBe(SPAN_ID)
      expect(span.links).toEqual([])
    })

    it("is a link of a child of the connection span with remoteContext: 'link'", async () => {
      const { client } = await fixture.open({
        telemetry: { traces: 'connection', remoteContext: 'link' },
        client: OFFER,
        connection: listen,
      })
      client.send(withCarrier('{}'))
      const span = await fixture.telemetry.waitForSpan(name)
      await client.close()
      const connection = await fixture.telemetry.waitForSpan(`connection ${route}`)
      expect(span.parentSpanContext?.spanId).toBe(connection.spanContext().spanId)
      expect(span.links.map((link) => link.attributes)).toEqual([{ 'websocket.link.kind': 'message' }])
    })

    it('has the sampling decision for a sampler that follows the parent', async () => {
      const { client } = await fixture.open({ client: OFFER, connection: echo })
      fixture.telemetry.sampler = new ParentBasedSampler({ root: new AlwaysOffSampler() })
      client.send(withCarrier('{}'))
      expect(await client.next()).toBe(withContextOf(await fixture.telemetry.waitForSpan(`send ${route}`), '{}'))
      client.send(withCarrier('{}', `"traceparent":"${TRACEPARENT.slice(0, -1)}0"`))
      expect(await client.next()).toMatch(
        new RegExp(`^\\{"_otel":\\{"traceparent":"00-${TRACE_ID}-[0-9a-f]{16}-00"\\}\\}$`),
      )
      expect(fixture.telemetry.spans(name)).toHaveLength(1)
    })

    it.each(named(jsonTextVectors.refused, REFUSED))(
      'is left in the message and logged once when it is refused: $name',
      async ({ text, problem }) => {
        const messages: unknown[] = []
        const { client } = await fixture.open({ client: OFFER, connection: keepMessages(messages) })
        client.send(text)
        client.send(text)
        const span = await fixture.telemetry.waitForSpan(name, 2)
        expect(messages).toEqual([text, text])
        expect(span.parentSpanContext).toBeUndefined()
        expect(span.status.code).toBe(SpanStatusCode.UNSET)
        expect(span.attributes['websocket.message.carrier.error']).toBe(problem)
        expect(fixture.telemetry.diagnostics.filter((line) => line.includes(problem))).toHaveLength(1)
        expect(Object.prototype).not.toHaveProperty('polluted')
      },
    )

    it.each(named(jsonTextVectors.traceparents, INVALID))(
      'is taken out and not used when its traceparent is not valid: $name',
      async ({ value, spanContext }) => {
        expect(spanContext).toBeNull()
        const messages: unknown[] = []
        const { client } = await fixture.open({ client: OFFER, connection: keepMessages(messages) })
        client.send(withCarrier('{"a":1}', `"traceparent":"${value}"`))
        const span = await fixture.telemetry.waitForSpan(name)
        expect(messages).toEqual(['{"a":1}'])
        expect(span.parentSpanContext).toBeUndefined()
        expect(span.attributes['websocket.message.carrier.error']).toBe('invalid')
      },
    )

    it('comes with the first fragment of a message, wherever it is cut', async () => {
      const messages: unknown[] = []
      const host = await fixture.serve({ connection: keepMessages(messages) })
      const client = await fixture.rawConnect(host, OFFER)
      const wire = Buffer.from(withCarrier('{"text":"h\u00e9"}'))
      for (const cut of [0, 1, 5, 30, wire.length]) {
        client.write(
          encodeFrame(OPCODE.text, wire.subarray(0, cut), { fin: false }),
          encodeFrame(OPCODE.continuation, wire.subarray(cut)),
        )
      }
      await fixture.telemetry.waitForSpan(name, 5)
      expect(messages).toEqual(Array.from({ length: 5 }, () => '{"text":"h\u00e9"}'))
      for (const span of fixture.telemetry.spans(name)) expect(span.parentSpanContext?.spanId).toBe(SPAN_ID)
    })

    it('is taken out without an SDK as well', async () => {
      await fixture.telemetry.uninstall()
      const { client } = await fixture.open({ client: OFFER, connection: echo })
      client.send(withCarrier('{"a":1}'))
      expect(await client.next()).toBe('{"a":1}')
      // The inner one is a member of the application, and must reach it.
      client.send(withCarrier(withCarrier('{"a":1}'), ''))
      expect(await client.next()).toBe(withCarrier(withCarrier('{"a":1}'), ''))
    })
  })
}
