import { context, propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { AlwaysOffSampler, ParentBasedSampler, type ReadableSpan } from '@opentelemetry/sdk-trace'
import { describe, expect, it } from 'vitest'
import type { WebSocket } from 'ws'
import type { TestClient } from '../client.ts'
import type { Fixture } from '../fixture.ts'
import { encodeFrame, OPCODE } from '../frames.ts'
import type { Harness } from '../harness.ts'
import { linkTo } from '../telemetry.ts'
import { jsonTextVectors } from '../vectors.ts'

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c'
const SPAN_ID = 'b7ad6b7169203331'
const TRACEPARENT = `00-${TRACE_ID}-${SPAN_ID}-01`
const ASKING = { headers: { 'otel-ws': '1' } }
const BROWSER = { headers: { 'otel-ws': '1', origin: 'https://app.example' } }

const carrying = (text: string, members = `"traceparent":"${TRACEPARENT}"`): string =>
  text === '{}' ? `{"_otel":{${members}}}` : `{"_otel":{${members}},${text.slice(1)}`

/** The text with the context of a span in it. */
function carried(span: ReadableSpan, text: string, flags = '01'): string {
  const { traceId, spanId } = span.spanContext()
  return carrying(text, `"traceparent":"00-${traceId}-${spanId}-${flags}"`)
}

/** Context in the messages of peers that have agreed. */
export function propagationTests(harness: Harness, fixture: Fixture): void {
  const { route } = harness
  const [process_, send, broadcast] = [`process ${route}`, `send ${route}`, `broadcast ${route}`]

  /** What the application has been given. */
  function listening(seen: unknown[]) {
    return (socket: WebSocket) => {
      socket.on('message', (data, binary) => seen.push(binary ? data : data.toString()))
    }
  }

  describe('context that comes in', () => {
    it('is the parent of the process span, which is linked to the handshake, and is taken out', async () => {
      const seen: unknown[] = []
      const { client, connection } = await fixture.open({
        telemetry: {},
        client: ASKING,
        connection: listening(seen),
      })
      client.send(carrying('{"type":"chat"}'))
      const span = await fixture.telemetry.waitForSpan(process_)
      const handshake = fixture.telemetry.span(`GET ${route}`)
      expect(seen).toEqual(['{"type":"chat"}'])
      expect(span.kind).toBe(SpanKind.CONSUMER)
      expect(span.spanContext().traceId).toBe(TRACE_ID)
      expect(span.parentSpanContext).toMatchObject({ traceId: TRACE_ID, spanId: SPAN_ID, isRemote: true })
      expect(span.links).toEqual([
        { context: handshake.spanContext(), attributes: { 'websocket.link.kind': 'handshake' } },
      ])
      expect(span.attributes).toEqual({
        'websocket.connection.id': connection.id,
        'websocket.route': route,
        'websocket.message.type': 'text',
        'websocket.message.size': 15,
        'websocket.message.sequence': 1,
      })
    })

    it('carries the trace state', async () => {
      const { client } = await fixture.open({ telemetry: {}, client: ASKING, connection: listening([]) })
      client.send(carrying('{}', `"traceparent":"${TRACEPARENT}","tracestate":"vendor=value"`))
      const span = await fixture.telemetry.waitForSpan(process_)
      expect(span.spanContext().traceState?.serialize()).toBe('vendor=value')
    })

    it('belongs to its message alone', async () => {
      const { client } = await fixture.open({ telemetry: {}, client: ASKING, connection: listening([]) })
      client.send(carrying('{}'))
      client.send('{}')
      client.send(carrying('{}'))
      client.send(Buffer.from('{}'), { binary: true })
      await fixture.telemetry.waitForSpan(process_, 4)
      const parents = fixture.telemetry.spans(process_).map((span) => span.parentSpanContext?.spanId)
      expect(parents).toEqual([SPAN_ID, undefined, SPAN_ID, undefined])
    })

    it('names the message by what the application sees', async () => {
      const { client } = await fixture.open({
        telemetry: { messageName: '$.type' },
        client: ASKING,
        connection: listening([]),
      })
      client.send(carrying('{"type":"chat"}'))
      const span = await fixture.telemetry.waitForSpan('process chat')
      expect(span.parentSpanContext?.spanId).toBe(SPAN_ID)
    })

    it('is a link with the handshake where peers are trusted no further', async () => {
      const { client } = await fixture.open({
        telemetry: { remoteContext: 'link' },
        client: ASKING,
        connection: listening([]),
      })
      client.send(carrying('{}'))
      const span = await fixture.telemetry.waitForSpan(process_)
      expect(span.parentSpanContext).toBeUndefined()
      expect(span.spanContext().traceId).not.toBe(TRACE_ID)
      expect(
        span.links.map(({ context, attributes }) => [context.spanId, attributes?.['websocket.link.kind']]),
      ).toEqual([
        [fixture.telemetry.span(`GET ${route}`).spanContext().spanId, 'handshake'],
        [SPAN_ID, 'message'],
      ])
    })

    it('is nothing, and taken out all the same, where peers are not trusted', async () => {
      const seen: unknown[] = []
      const { client } = await fixture.open({
        telemetry: { remoteContext: 'ignore' },
        client: ASKING,
        connection: listening(seen),
      })
      client.send(carrying('{"a":1}'))
      const span = await fixture.telemetry.waitForSpan(process_)
      expect(span.parentSpanContext).toBeUndefined()
      expect(span.links).toHaveLength(1)
      expect(seen).toEqual(['{"a":1}'])
    })

    it('is what a function of the request says', async () => {
      const asked: string[] = []
      const remoteContext = (request: { url: string }) => {
        asked.push(request.url)
        return request.url.includes('trusted') ? 'parent' : 'link'
      }
      const options = { telemetry: { remoteContext }, connection: listening([]) }
      const { client, host } = await fixture.open({ ...options, client: { ...ASKING, query: '?trusted' } })
      const stranger = await fixture.connect(host, ASKING)
      client.send(carrying('{}'))
      await fixture.telemetry.waitForSpan(process_)
      stranger.send(carrying('{}'))
      await fixture.telemetry.waitForSpan(process_, 2)
      const [trusted, other] = fixture.telemetry.spans(process_)
      expect(trusted?.parentSpanContext?.spanId).toBe(SPAN_ID)
      expect(other?.parentSpanContext).toBeUndefined()
      expect(other?.links).toHaveLength(2)
      expect(asked).toHaveLength(2)
    })

    it('goes before the connection span', async () => {
      const { client } = await fixture.open({
        telemetry: { traces: 'connection' },
        client: ASKING,
        connection: listening([]),
      })
      client.send(carrying('{}'))
      const span = await fixture.telemetry.waitForSpan(process_)
      expect(span.parentSpanContext?.spanId).toBe(SPAN_ID)
      expect(span.links.map((link) => link.attributes)).toEqual([{ 'websocket.link.kind': 'handshake' }])
    })

    it('is a link of a child of the connection span, where peers are trusted no further', async () => {
      const { client } = await fixture.open({
        telemetry: { traces: 'connection', remoteContext: 'link' },
        client: ASKING,
        connection: listening([]),
      })
      client.send(carrying('{}'))
      const span = await fixture.telemetry.waitForSpan(process_)
      await client.close()
      const connection = await fixture.telemetry.waitForSpan(`connection ${route}`)
      expect(span.parentSpanContext?.spanId).toBe(connection.spanContext().spanId)
      expect(span.links.map((link) => link.attributes)).toEqual([{ 'websocket.link.kind': 'message' }])
    })

    it('tells a sampler that goes by the parent what to do', async () => {
      const { client } = await fixture.open({
        telemetry: {},
        client: ASKING,
        connection: (socket) => socket.on('message', (data) => socket.send(data.toString())),
      })
      fixture.telemetry.sampler = new ParentBasedSampler({ root: new AlwaysOffSampler() })
      client.send(carrying('{}'))
      expect(await client.next()).toBe(carried(await fixture.telemetry.waitForSpan(send), '{}'))
      client.send(carrying('{}', `"traceparent":"${TRACEPARENT.slice(0, -1)}0"`))
      expect(await client.next()).toMatch(
        new RegExp(`^\\{"_otel":\\{"traceparent":"00-${TRACE_ID}-[0-9a-f]{16}-00"\\}\\}$`),
      )
      expect(fixture.telemetry.spans(process_)).toHaveLength(1)
    })

    it.each(jsonTextVectors.refused)('is not used and told when it is none: $name', async ({ text, problem }) => {
      const seen: unknown[] = []
      const { client } = await fixture.open({ telemetry: {}, client: ASKING, connection: listening(seen) })
      client.send(text)
      client.send(text)
      const span = await fixture.telemetry.waitForSpan(process_, 2)
      expect(seen).toEqual([text, text])
      expect(span.parentSpanContext).toBeUndefined()
      expect(span.status.code).toBe(SpanStatusCode.UNSET)
      expect(span.attributes['websocket.message.carrier.error']).toBe(problem)
      expect(fixture.telemetry.diagnostics.filter((line) => line.includes(problem))).toHaveLength(1)
      expect(Object.prototype).not.toHaveProperty('polluted')
    })

    it.each(jsonTextVectors.traceparents.filter(({ spanContext }) => spanContext === null))(
      'is not used, told and taken out when it says nothing valid: $name',
      async ({ value }) => {
        const seen: unknown[] = []
        const { client } = await fixture.open({ telemetry: {}, client: ASKING, connection: listening(seen) })
        client.send(carrying('{"a":1}', `"traceparent":"${value}"`))
        const span = await fixture.telemetry.waitForSpan(process_)
        expect(seen).toEqual(['{"a":1}'])
        expect(span.parentSpanContext).toBeUndefined()
        expect(span.attributes['websocket.message.carrier.error']).toBe('invalid')
      },
    )

    it('comes with the first fragment of a message, wherever it is cut', async () => {
      const seen: unknown[] = []
      const host = await fixture.serve({ telemetry: {}, connection: listening(seen) })
      const client = await fixture.rawConnect(host, ASKING)
      const wire = Buffer.from(carrying('{"text":"h\u00e9"}'))
      for (const cut of [0, 1, 5, 30, wire.length]) {
        client.write(
          encodeFrame(OPCODE.text, wire.subarray(0, cut), { fin: false }),
          encodeFrame(OPCODE.continuation, wire.subarray(cut)),
        )
      }
      await fixture.telemetry.waitForSpan(process_, 5)
      expect(seen).toEqual(Array.from({ length: 5 }, () => '{"text":"h\u00e9"}'))
      for (const span of fixture.telemetry.spans(process_)) expect(span.parentSpanContext?.spanId).toBe(SPAN_ID)
    })

    it.each(['nodebuffer', 'arraybuffer', 'fragments'] as const)(
      'is taken from texts and not from binary messages, with binaryType %s',
      async (binaryType) => {
        const seen: unknown[] = []
        const { client } = await fixture.open({
          telemetry: {},
          client: ASKING,
          connection(socket) {
            socket.binaryType = binaryType
            socket.on('message', (data, binary) => seen.push([Buffer.from(bytesOf(data)).toString(), binary]))
          },
        })
        const wire = carrying('{"a":1}')
        client.send(wire)
        client.send(Buffer.from(wire), { binary: true })
        await fixture.telemetry.waitForSpan(process_, 2)
        expect(seen).toEqual([
          ['{"a":1}', false],
          [wire, true],
        ])
        const [text, binary] = fixture.telemetry.spans(process_)
        expect(text?.parentSpanContext?.spanId).toBe(SPAN_ID)
        expect(binary?.parentSpanContext).toBeUndefined()
        expect(binary?.attributes).not.toHaveProperty('websocket.message.carrier.error')
      },
    )

    it('is taken out without an SDK as well', async () => {
      await fixture.telemetry.uninstall()
      const { client } = await fixture.open({
        telemetry: {},
        client: ASKING,
        connection: (socket) => socket.on('message', (data) => socket.send(data.toString())),
      })
      client.send(carrying('{"a":1}'))
      expect(await client.next()).toBe('{"a":1}')
      // What looks like a carrier is the application's own, and must reach it.
      client.send(carrying(carrying('{"a":1}'), ''))
      expect(await client.next()).toBe(carrying(carrying('{"a":1}'), ''))
    })
  })

  describe("context in the application's own format", () => {
    /** A frame whose first 55 bytes are a trace context. */
    const frame = (traceparent: string) => Buffer.concat([Buffer.from(traceparent), Buffer.from([0, 255])])
    const messageContext = (data: unknown, binary: boolean) =>
      binary ? { traceparent: (data as Buffer).toString('latin1', 0, TRACEPARENT.length) } : undefined

    it('is the parent of the process span, and is left where it is', async () => {
      const seen: unknown[] = []
      const { client } = await fixture.open({ telemetry: { messageContext }, connection: listening(seen) })
      client.send(frame(TRACEPARENT), { binary: true })
      client.send(TRACEPARENT)
      await fixture.telemetry.waitForSpan(process_, 2)
      const [span, text] = fixture.telemetry.spans(process_)
      const handshake = fixture.telemetry.span(`GET ${route}`)
      expect(span?.parentSpanContext).toMatchObject({ traceId: TRACE_ID, spanId: SPAN_ID, isRemote: true })
      expect(span?.links).toEqual([linkTo(handshake)])
      expect(text?.parentSpanContext).toBeUndefined()
      expect(seen).toEqual([frame(TRACEPARENT), TRACEPARENT])
    })

    it.each([
      ['link', undefined, 2],
      ['ignore', undefined, 1],
      [() => 'parent', SPAN_ID, 1],
    ] as const)('is used as remoteContext %s says', async (remoteContext, parent, links) => {
      const { client } = await fixture.open({
        telemetry: { messageContext, remoteContext },
        connection: listening([]),
      })
      client.send(frame(TRACEPARENT), { binary: true })
      const span = await fixture.telemetry.waitForSpan(process_)
      expect(span.parentSpanContext?.spanId).toBe(parent)
      expect(span.links).toHaveLength(links)
    })

    it('gives way to a carrier', async () => {
      const { client } = await fixture.open({
        telemetry: { messageContext: () => ({ traceparent: `00-${TRACE_ID}-${'1'.repeat(16)}-01` }) },
        client: ASKING,
        connection: listening([]),
      })
      client.send(carrying('{}'))
      client.send('{}')
      await fixture.telemetry.waitForSpan(process_, 2)
      const parents = fixture.telemetry.spans(process_).map((span) => span.parentSpanContext?.spanId)
      expect(parents).toEqual([SPAN_ID, '1'.repeat(16)])
    })

    it.each([[null], ['text'], [{}], [{ traceparent: 1 }], [{ tracestate: 'a=b' }]])(
      'is none where %j is found',
      async (found) => {
        const { client } = await fixture.open({
          telemetry: { messageContext: () => found as never },
          connection: listening([]),
        })
        client.send('x')
        const span = await fixture.telemetry.waitForSpan(process_)
        expect(span.parentSpanContext).toBeUndefined()
        expect(span.attributes['websocket.message.carrier.error']).toBeUndefined()
      },
    )

    it('is told when it is not valid', async () => {
      const { client } = await fixture.open({ telemetry: { messageContext }, connection: listening([]) })
      client.send(frame('x'.repeat(TRACEPARENT.length)), { binary: true })
      const span = await fixture.telemetry.waitForSpan(process_)
      expect(span.parentSpanContext).toBeUndefined()
      expect(span.attributes['websocket.message.carrier.error']).toBe('invalid')
    })
  })

  describe('baggage', () => {
    /** The tenant that a handler finds in its context, and in that of what it leaves to later. */
    function tenants(seen: unknown[]) {
      const tenant = () => propagation.getActiveBaggage()?.getEntry('tenant')?.value
      return (socket: WebSocket) => {
        socket.on('message', async () => {
          const first = tenant()
          await new Promise(setImmediate)
          seen.push([first, tenant()])
        })
      }
    }
    const wire = carrying('{}', `"traceparent":"${TRACEPARENT}","baggage":"tenant=blue"`)

    it.each([
      ['a Node client', {}, ASKING, 'blue'],
      ['a browser', {}, BROWSER, undefined],
      ['a browser that is trusted', { remoteContext: 'parent' }, BROWSER, 'blue'],
      ['a peer whose context is a link', { remoteContext: 'link' }, ASKING, undefined],
      ['a peer that is not trusted', { remoteContext: 'ignore' }, ASKING, undefined],
    ])('of %s is in the context of its messages as far as it is trusted', async (_, telemetry, client, expected) => {
      const seen: unknown[] = []
      const opened = await fixture.open({ telemetry, client, connection: tenants(seen) })
      opened.client.send(wire)
      await fixture.telemetry.waitForSpan(process_)
      expect(seen).toEqual([[expected, expected]])
    })

    it('of a client that asks in the query is that of a browser', async () => {
      const seen: unknown[] = []
      const { client } = await fixture.open({
        telemetry: {},
        client: { query: '?otel-ws=1' },
        connection: tenants(seen),
      })
      client.send(wire)
      await fixture.telemetry.waitForSpan(process_)
      expect(seen).toEqual([[undefined, undefined]])
    })

    it.each([
      ['not', {}, BROWSER, undefined],
      ['taken', { remoteContext: 'parent' }, BROWSER, 'blue'],
      ['taken', {}, {}, 'blue'],
    ])('of the handshake is %s', async (_, telemetry, client, expected) => {
      const seen: unknown[] = []
      await fixture.open({
        telemetry: {
          ...telemetry,
          onHandshake() {
            seen.push('handshake')
          },
        },
        client: {
          headers: { ...(client as typeof ASKING).headers, traceparent: TRACEPARENT, baggage: 'tenant=blue' },
        },
        connection(socket) {
          socket.on('close', () => {})
          seen.push(propagation.getActiveBaggage()?.getEntry('tenant')?.value)
        },
      })
      if (harness.capabilities.serverHooks) expect(seen).toEqual(['handshake', expected])
    })

    it.each([
      ['no client', {}, false],
      ['a client that is trusted', { remoteContext: 'parent' }, true],
      ['no client that is trusted less', { remoteContext: 'link' }, false],
    ])('goes out to %s', async (_, telemetry, goes) => {
      const { client, socket } = await fixture.open({ telemetry, client: ASKING })
      const baggage = propagation.createBaggage({ tenant: { value: 'blue' } })
      context.with(propagation.setBaggage(ROOT_CONTEXT, baggage), () => socket.send('{}'))
      expect((await client.next()).includes('"baggage":"tenant=blue"')).toBe(goes)
    })
  })

  describe('context that goes out', () => {
    it('in a handler is that of the send span', async () => {
      const { client } = await fixture.open({
        telemetry: {},
        client: ASKING,
        connection(socket) {
          socket.on('message', () => socket.send('{"type":"answer"}'))
        },
      })
      client.send(carrying('{}'))
      const wire = await client.next()
      const span = await fixture.telemetry.waitForSpan(send)
      expect(wire).toBe(carried(span, '{"type":"answer"}'))
      expect(span.spanContext().traceId).toBe(TRACE_ID)
      expect(span.parentSpanContext?.spanId).toBe((await fixture.telemetry.waitForSpan(process_)).spanContext().spanId)
      expect(span.links).toEqual([])
      expect(span.attributes['websocket.message.size']).toBe(17)
    })

    it('outside of any span is that of a send span like any other', async () => {
      const { client, socket, connection } = await fixture.open({ telemetry: {}, client: ASKING })
      connection.setAttribute('enduser.id', 'ada')
      socket.send('{"a":1}')
      const wire = await client.next()
      const span = await fixture.telemetry.waitForSpan(send)
      expect(wire).toBe(carried(span, '{"a":1}'))
      expect(span.kind).toBe(SpanKind.PRODUCER)
      expect(span.parentSpanContext).toBeUndefined()
      expect(span.links).toEqual([
        {
          context: fixture.telemetry.span(`GET ${route}`).spanContext(),
          attributes: { 'websocket.link.kind': 'handshake' },
        },
      ])
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

    it('in the shape connection is that of a child of the connection span', async () => {
      const { client, socket } = await fixture.open({ telemetry: { traces: 'connection' }, client: ASKING })
      socket.send('{}')
      const wire = await client.next()
      const span = await fixture.telemetry.waitForSpan(send)
      await client.close()
      const connection = await fixture.telemetry.waitForSpan(`connection ${route}`)
      expect(wire).toBe(carried(span, '{}'))
      expect(span.parentSpanContext?.spanId).toBe(connection.spanContext().spanId)
      expect(span.links).toEqual([])
    })

    it('is that of the span around it where it has no span of its own', async () => {
      const { client, socket } = await fixture.open({ telemetry: { outgoing: false }, client: ASKING })
      socket.send('{"before":1}')
      trace.getTracer('app').startActiveSpan('job', (span) => {
        socket.send('{}')
        span.end()
      })
      expect(await client.next()).toBe('{"before":1}')
      expect(await client.next()).toBe(carried(fixture.telemetry.span('job'), '{}'))
      expect(fixture.telemetry.spans(send)).toEqual([])
    })

    it('tells that a message is not sampled', async () => {
      const { client, socket } = await fixture.open({ telemetry: {}, client: ASKING })
      fixture.telemetry.sampler = new AlwaysOffSampler()
      socket.send('{}')
      expect(await client.next()).toMatch(/^\{"_otel":\{"traceparent":"00-[0-9a-f]{32}-[0-9a-f]{16}-00"\}\}$/)
    })

    it.each([
      ['a text', '{"a":"h\u00e9"}'],
      ['a text in a Buffer', Buffer.from('{"a":"h\u00e9"}')],
      ['a text in a Uint8Array', new Uint8Array(Buffer.from('{"a":"h\u00e9"}'))],
      ['a text in a view', new DataView(new Uint8Array(Buffer.from('{"a":"h\u00e9"}')).buffer)],
      ['a text in an ArrayBuffer', new Uint8Array(Buffer.from('{"a":"h\u00e9"}')).buffer],
    ])('goes with %s, which stays what it was', async (_, data) => {
      const { client, socket } = await fixture.open({ telemetry: {}, client: ASKING })
      const before = Buffer.from(bytesOf(data)).toString()
      const error = await new Promise((resolve) => socket.send(data as Buffer, { binary: false }, resolve))
      expect(error).toBeFalsy()
      const wire = await client.nextMessage()
      const span = await fixture.telemetry.waitForSpan(send)
      expect(wire.binary).toBe(false)
      expect(wire.data.toString()).toBe(carried(span, '{"a":"h\u00e9"}'))
      expect(span.attributes['websocket.message.size']).toBe(11)
      expect(Buffer.from(bytesOf(data)).toString()).toBe(before)
    })

    it.each([
      ['a binary message', Buffer.from('{"a":1}'), true],
      ['an array', '[1]', false],
      ['white space first', ' {}', false],
      ['an empty text', '', false],
      ['a number', 5, false],
    ])('does not go with %s', async (_, data, binary) => {
      const { client, socket } = await fixture.open({ telemetry: {}, client: ASKING })
      socket.send(data as Buffer)
      expect(await client.nextMessage()).toEqual({ data: Buffer.from(String(data)), binary })
      const span = await fixture.telemetry.waitForSpan(send)
      expect(span.links).toHaveLength(1)
    })

    it('is empty with a text that looks as if it had one', async () => {
      const { client, socket } = await fixture.open({ telemetry: { messages: false }, client: ASKING })
      socket.send(carrying('{"a":1}'))
      expect(await client.next()).toBe(carrying(carrying('{"a":1}'), ''))
      socket.send('{"_otel":1}')
      expect(await client.next()).toBe('{"_otel":1}')
    })

    it('goes with the first fragment that is not empty', async () => {
      const { client, socket, connection } = await fixture.open({ telemetry: {}, client: ASKING })
      socket.send('', { fin: false })
      socket.send('{', { fin: false })
      await new Promise(setImmediate)
      socket.send('"a":', { fin: false })
      socket.send('1}')
      const wire = await client.next()
      const span = await fixture.telemetry.waitForSpan(send)
      expect(wire).toBe(carried(span, '{"a":1}'))
      expect(span.attributes).toEqual({
        'websocket.connection.id': connection.id,
        'websocket.route': route,
        'websocket.message.type': 'text',
        'websocket.message.size': 7,
        'websocket.message.sequence': 1,
      })
      expect(span.links).toHaveLength(1)
    })

    it('is empty with fragments that look as if they had one', async () => {
      const { client, socket } = await fixture.open({ telemetry: { messages: false }, client: ASKING })
      const text = carrying('{"a":1}')
      for (const cut of [1, 4, 9, 12, 40]) {
        socket.send(text.slice(0, cut), { fin: false })
        socket.send(text.slice(cut))
        expect(await client.next()).toBe(carrying(text, ''))
      }
      socket.send('[', { fin: false })
      socket.send(']')
      expect(await client.next()).toBe('[]')
    })

    it('of a message whose last fragment never comes is that of a span that ends', async () => {
      const { client, socket } = await fixture.open({ telemetry: {}, client: ASKING })
      socket.send('{"a":', { fin: false })
      client.socket.terminate()
      const span = await fixture.telemetry.waitForSpan(send)
      expect(span.status.code).toBe(SpanStatusCode.ERROR)
      expect(span.attributes['error.type']).toBe('not_open')
      expect(span.attributes).not.toHaveProperty('websocket.message.sequence')
    })

    it('of a message that the host refuses is that of a span that ends, and counts for nothing', async () => {
      const { client, socket } = await fixture.open({ telemetry: {}, client: ASKING })
      expect(() =>
        socket.send('{}', {
          get compress(): boolean {
            throw new TypeError('no')
          },
        }),
      ).toThrow(TypeError)
      const failed = await fixture.telemetry.waitForSpan(send)
      expect(failed.attributes['error.type']).toBe('TypeError')
      expect(failed.attributes).not.toHaveProperty('websocket.message.sequence')
      socket.send('{}')
      expect(await client.next()).toBe(carried(await fixture.telemetry.waitForSpan(send, 2), '{}'))
      expect(fixture.telemetry.spans(send)[1]?.attributes['websocket.message.sequence']).toBe(1)
    })

    it('is compressed with the message', async () => {
      const { client, socket } = await fixture.open({
        telemetry: {},
        server: { perMessageDeflate: { threshold: 0 } },
        client: { ...ASKING, perMessageDeflate: true },
        connection(socket) {
          socket.on('message', (data) => socket.send(data.toString()))
        },
      })
      expect(socket.extensions).toContain('permessage-deflate')
      const text = JSON.stringify({ text: 'x'.repeat(5000) })
      client.send(carrying(text))
      const wire = await client.next()
      expect(wire).toBe(carried(await fixture.telemetry.waitForSpan(send), text))
    })
  })

  describe('context of a broadcast', () => {
    /** Three clients: one that has not agreed between two that have. */
    async function audience(telemetry: Record<string, unknown> = {}) {
      const sockets: WebSocket[] = []
      const host = await fixture.serve({ telemetry, connection: (socket) => sockets.push(socket) })
      const clients: TestClient[] = []
      for (const options of [ASKING, {}, ASKING]) clients.push(await fixture.connect(host, options))
      await fixture.telemetry.waitUntil(
        () => fixture.telemetry.spans(`open ${route}`).length === 3,
        'three connection handlers',
      )
      return { host, sockets, clients }
    }

    async function received(clients: readonly TestClient[]): Promise<string[]> {
      const texts: string[] = []
      for (const client of clients) texts.push(await client.next())
      return texts
    }

    it.each([
      ['first', [0, 1, 2]],
      ['later', [1, 0, 2]],
    ])('in a loop is one for all that have agreed, one who has coming %s', async (_, order) => {
      const { sockets, clients } = await audience()
      for (const index of order) (sockets[index] as WebSocket).send('{"a":1}')
      const wires = await received(clients)
      const span = await fixture.telemetry.waitForSpan(broadcast)
      expect(wires).toEqual([carried(span, '{"a":1}'), '{"a":1}', carried(span, '{"a":1}')])
      expect(fixture.telemetry.spans(send)).toEqual([])
      expect(span.kind).toBe(SpanKind.PRODUCER)
      expect(span.parentSpanContext).toBeUndefined()
      expect(span.links).toEqual([])
      expect(span.attributes).toEqual({
        'websocket.route': route,
        'websocket.message.type': 'text',
        'websocket.message.size': 7,
        'websocket.broadcast.recipients': 3,
        'websocket.broadcast.skipped': 0,
      })
    })

    it('that is known to be one is one for all that have agreed', async () => {
      const { host, sockets, clients } = await audience()
      host.broadcast(sockets, '{"a":1}')
      const wires = await received(clients)
      const span = await fixture.telemetry.waitForSpan(broadcast)
      expect(wires).toEqual([carried(span, '{"a":1}'), '{"a":1}', carried(span, '{"a":1}')])
      expect(span.links).toEqual([])
      expect(span.attributes).toMatchObject({ 'websocket.broadcast.recipients': 3 })
    })

    it('is under the span that it is made in', async () => {
      const { sockets, clients } = await audience()
      trace.getTracer('app').startActiveSpan('job', (job) => {
        for (const socket of sockets) socket.send('{}')
        job.end()
      })
      const wires = await received(clients)
      const span = await fixture.telemetry.waitForSpan(broadcast)
      expect(wires[0]).toBe(carried(span, '{}'))
      expect(span.parentSpanContext?.spanId).toBe(fixture.telemetry.span('job').spanContext().spanId)
    })

    it('is kept apart from that of another payload, sent in turn', async () => {
      const { sockets, clients } = await audience()
      for (const socket of sockets) {
        socket.send('{"a":1}')
        socket.send('{"b":2}')
      }
      const [first, second] = [await received(clients), await received(clients)]
      await fixture.telemetry.waitForSpan(broadcast, 2)
      const [a, b] = fixture.telemetry.spans(broadcast) as [ReadableSpan, ReadableSpan]
      expect(first[0]).toBe(carried(a, '{"a":1}'))
      expect(second[2]).toBe(carried(b, '{"b":2}'))
    })

    it('is that of one span for each recipient that is sent something of its own', async () => {
      const { sockets, clients } = await audience()
      sockets.forEach((socket, index) => {
        socket.send(`{"to":${index}}`)
      })
      const wires = await received(clients)
      await fixture.telemetry.waitForSpan(send, 3)
      const spans = fixture.telemetry.spans(send)
      for (const index of [0, 2]) expect(wires[index]).toBe(carried(spans[index] as ReadableSpan, `{"to":${index}}`))
    })
  })
}

function bytesOf(data: unknown): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data)
  if (Array.isArray(data)) return Buffer.concat(data as Buffer[])
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  return new Uint8Array(data as ArrayBuffer)
}
