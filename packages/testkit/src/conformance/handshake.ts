import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import type { Fixture } from '../fixture.ts'
import type { Harness } from '../harness.ts'
import { linkTo } from '../telemetry.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const PARENT = 'b7ad6b7169203331'
const traceparent = `00-${TRACE}-${PARENT}-01`

export function handshakeTests(harness: Harness, fixture: Fixture): void {
  const { route } = harness
  const name = `GET ${route}`

  describe('handshake', () => {
    it('that is accepted makes one SERVER span that ends at the 101', async () => {
      const { host, connection } = await fixture.open({
        telemetry: {},
        client: { headers: { 'user-agent': 'probe/1.0' } },
      })
      const span = await fixture.telemetry.waitForSpan(name)
      const { port } = new URL(host.url)
      expect(span.kind).toBe(SpanKind.SERVER)
      expect(span.parentSpanContext).toBeUndefined()
      expect(span.links).toEqual([])
      expect(span.events).toEqual([])
      expect(span.status).toEqual({ code: SpanStatusCode.UNSET })
      expect(span.attributes).toEqual({
        'http.request.method': 'GET',
        'http.response.status_code': 101,
        'http.route': route,
        'url.path': '/chat/lobby',
        'url.scheme': 'ws',
        'server.address': '127.0.0.1',
        'server.port': Number(port),
        'client.address': '127.0.0.1',
        'client.port': expect.any(Number),
        'user_agent.original': 'probe/1.0',
        'websocket.connection.id': connection.id,
        'websocket.route': route,
        'websocket.handshake.outcome': 'accepted',
      })
      expect(connection.id).toMatch(/^[0-9a-f]{16}$/)
      expect(connection.route).toBe(route)
    })

    it('ends before the first message is processed', async () => {
      const { client } = await fixture.open({
        telemetry: {},
        connection(socket) {
          socket.on('message', () => {})
        },
      })
      client.send('x')
      const message = await fixture.telemetry.waitForSpan(`process ${route}`)
      const ended = fixture.telemetry.spans()
      expect(ended.indexOf(fixture.telemetry.span(name))).toBeLessThan(ended.indexOf(message))
    })

    it('continues the trace in the headers', async () => {
      await fixture.open({ telemetry: {}, client: { headers: { traceparent, tracestate: 'vendor=1' } } })
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.spanContext().traceId).toBe(TRACE)
      expect(span.parentSpanContext?.spanId).toBe(PARENT)
      expect(span.spanContext().traceState?.serialize()).toBe('vendor=1')
      expect(span.links).toEqual([])
    })

    it('continues the trace in the query, which browsers use, and does not record it', async () => {
      await fixture.open({ telemetry: {}, client: { query: `?a=1&traceparent=${traceparent}` } })
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.parentSpanContext?.spanId).toBe(PARENT)
      expect(span.attributes['url.query']).toBe('a=1&traceparent=REDACTED')
    })

    it('prefers the headers to the query', async () => {
      const other = '00-11111111111111111111111111111111-2222222222222222-01'
      await fixture.open({ telemetry: {}, client: { query: `?traceparent=${other}`, headers: { traceparent } } })
      expect((await fixture.telemetry.waitForSpan(name)).parentSpanContext?.spanId).toBe(PARENT)
    })

    it.each([
      ['empty', ''],
      ['of another version length', `00-${TRACE}-${PARENT}`],
      ['all zero', '00-00000000000000000000000000000000-0000000000000000-01'],
      ['not hexadecimal', `00-${TRACE.replace('0', 'x')}-${PARENT}-01`],
      ['version ff', `ff-${TRACE}-${PARENT}-01`],
      ['very long', `00-${TRACE}-${PARENT}-01${'0'.repeat(4000)}`],
      ['not ASCII', '00-\u00e9\u00e9-\u00fc-01'],
    ])('with a traceparent that is %s is accepted as a root', async (_what, value) => {
      await fixture.open({ telemetry: {}, client: { headers: { traceparent: value } } })
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.parentSpanContext).toBeUndefined()
      expect(span.attributes['websocket.handshake.outcome']).toBe('accepted')
    })

    it('links to the remote span where the peer is not trusted', async () => {
      await fixture.open({ telemetry: { remoteContext: 'link' }, client: { headers: { traceparent } } })
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.parentSpanContext).toBeUndefined()
      expect(span.links.map((link) => link.context.spanId)).toEqual([PARENT])
    })

    it('ignores the remote span on demand', async () => {
      await fixture.open({ telemetry: { remoteContext: 'ignore' }, client: { headers: { traceparent } } })
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.parentSpanContext).toBeUndefined()
      expect(span.links).toEqual([])
      expect(span.spanContext().traceId).not.toBe(TRACE)
    })

    it('asks a function whether to trust', async () => {
      const asked: unknown[] = []
      const remoteContext = (request: { url?: string }): string => {
        asked.push(request.url)
        return request.url?.includes('inside') ? 'parent' : 'ignore'
      }
      const host = await fixture.serve({ telemetry: { remoteContext }, connection() {} })
      await fixture.connect(host, { query: '?inside', headers: { traceparent } })
      await fixture.connect(host, { query: '?outside', headers: { traceparent } })
      const second = await fixture.telemetry.waitForSpan(name, 2)
      const [first] = fixture.telemetry.spans(name)
      expect(first?.parentSpanContext?.spanId).toBe(PARENT)
      expect(second.parentSpanContext).toBeUndefined()
      expect(asked).toEqual(['/chat/lobby?inside', '/chat/lobby?outside'])
    })

    it('redacts secrets in the query, also in disguise, and keeps the rest byte for byte', async () => {
      const query =
        '?room=a%20b&token=s3cret&Access_Token=s3cret&%74oken=s3cret&x=&api-key=s3cret&session=s3cret&jwt=s3cret&%E0%A4%A=1&flag'
      const host = await fixture.serve({ telemetry: { redactQuery: ['room_pin'] }, connection() {} })
      await fixture.connect(host, { query: `${query}&room_pin=s3cret&password=s3cret=s3cret` })
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.attributes['url.query']).toBe(
        'room=a%20b&token=REDACTED&Access_Token=REDACTED&%74oken=REDACTED&x=&api-key=REDACTED&session=REDACTED&jwt=REDACTED&%E0%A4%A=1&flag&room_pin=REDACTED&password=REDACTED',
      )
      await fixture.settle()
      for (const each of fixture.telemetry.spans()) expect(JSON.stringify(each.attributes)).not.toContain('s3cret')
    })

    it('tells the negotiated subprotocol on every span', async () => {
      const { client, connection } = await fixture.open({
        telemetry: {},
        client: { protocols: ['v2.chat', 'v1.chat'] },
        connection(socket) {
          socket.on('message', (data) => socket.send(data))
        },
      })
      expect(connection.subprotocol).toBe('v2.chat')
      client.send('x')
      await client.next()
      await client.close(1000)
      await fixture.telemetry.waitForSpan(`close ${route}`)
      const told = fixture.telemetry.spans().map((span) => [span.name, span.attributes['websocket.subprotocol']])
      expect(told.sort()).toEqual(
        [`GET ${route}`, `close ${route}`, `open ${route}`, `process ${route}`, `send ${route}`]
          .map((each) => [each, 'v2.chat'])
          .sort(),
      )
    })

    it.each([
      ['an unknown version', { headers: { 'sec-websocket-version': '7' } }, 400],
      ['no key', { headers: { 'sec-websocket-key': undefined } }, 400],
      ['a malformed key', { headers: { 'sec-websocket-key': 'short' } }, 400],
      ['a malformed subprotocol', { headers: { 'sec-websocket-protocol': 'a,,b' } }, 400],
    ] as const)('with %s is rejected and recorded as such', async (_what, options, status) => {
      const host = await fixture.serve({ telemetry: {}, connection() {} })
      const client = fixture.upgrade(host, options)
      expect((await client.response).status).toBe(status)
      await client.closed
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.kind).toBe(SpanKind.SERVER)
      expect(span.attributes).toMatchObject({
        'websocket.handshake.outcome': 'rejected',
        'http.response.status_code': status,
        'http.request.method': 'GET',
      })
      expect(span.status.code).toBe(SpanStatusCode.UNSET)
      await fixture.settle()
      expect(fixture.telemetry.names()).toEqual([name])
    })

    it('that nobody answers is abandoned when its client leaves', async () => {
      let asked: () => void = () => {}
      const reached = new Promise<void>((resolve) => {
        asked = resolve
      })
      const host = await fixture.serve({
        telemetry: {},
        connection() {},
        server: { verifyClient: (_info: unknown, _answer: unknown) => asked() },
      })
      const client = fixture.upgrade(host)
      await reached
      client.reset()
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.attributes['websocket.handshake.outcome']).toBe('abandoned')
      expect(span.attributes).not.toHaveProperty('http.response.status_code')
      await fixture.settle()
      expect(fixture.telemetry.names()).toEqual([name])
    })

    it('of several clients at once makes a span each', async () => {
      const host = await fixture.serve({ telemetry: {}, connection() {} })
      await Promise.all(Array.from({ length: 20 }, () => fixture.connect(host)))
      await fixture.telemetry.waitForSpan(name, 20)
      const ids = fixture.telemetry.spans(name).map((span) => span.attributes['websocket.connection.id'])
      expect(new Set(ids).size).toBe(20)
    })

    it('leaves plain HTTP alone', async () => {
      const host = await fixture.serve({ telemetry: {}, connection() {} })
      const response = await fetch(host.url.replace('ws:', 'http:'), { headers: { connection: 'close' } })
      await response.arrayBuffer()
      await fixture.settle()
      expect(fixture.telemetry.names()).toEqual([])
    })

    it('does not become the parent of what follows', async () => {
      const { client } = await fixture.open({
        telemetry: {},
        connection(socket) {
          socket.on('message', () => {})
        },
      })
      client.send('x')
      const message = await fixture.telemetry.waitForSpan(`process ${route}`)
      const handshake = fixture.telemetry.span(name)
      expect(message.parentSpanContext).toBeUndefined()
      expect(message.spanContext().traceId).not.toBe(handshake.spanContext().traceId)
      expect(message.links).toEqual([linkTo(handshake)])
      expect(trace.getSpan(context.active() ?? ROOT_CONTEXT)).toBeUndefined()
    })

    if (harness.capabilities.serverHooks) {
      it.each([
        [401, SpanStatusCode.UNSET],
        [403, SpanStatusCode.UNSET],
        [429, SpanStatusCode.UNSET],
        [503, SpanStatusCode.ERROR],
      ])('rejected by verifyClient with %i tells the status', async (status, code) => {
        const host = await fixture.serve({
          telemetry: {},
          connection() {},
          server: { verifyClient: (_info, answer) => answer(false, status, 'no') },
        })
        const client = fixture.upgrade(host)
        expect((await client.response).status).toBe(status)
        await client.closed
        const span = await fixture.telemetry.waitForSpan(name)
        expect(span.attributes['websocket.handshake.outcome']).toBe('rejected')
        expect(span.attributes['http.response.status_code']).toBe(status)
        expect(span.status.code).toBe(code)
        expect(span.attributes['error.type']).toBe(code === SpanStatusCode.ERROR ? String(status) : undefined)
      })

      it('rejected asynchronously covers the time that took', async () => {
        const host = await fixture.serve({
          telemetry: {},
          connection() {},
          server: { verifyClient: (_info, answer) => void setTimeout(answer, 30, false) },
        })
        const client = fixture.upgrade(host)
        expect((await client.response).status).toBe(401)
        await client.closed
        const span = await fixture.telemetry.waitForSpan(name)
        expect(span.duration[0] * 1e3 + span.duration[1] / 1e6).toBeGreaterThanOrEqual(28)
      })

      it('is the active span in verifyClient', async () => {
        const active: unknown[] = []
        await fixture.open({
          telemetry: {},
          server: {
            verifyClient: () => {
              active.push(trace.getActiveSpan()?.spanContext().spanId)
              return true
            },
          },
        })
        const span = await fixture.telemetry.waitForSpan(name)
        expect(active).toEqual([span.spanContext().spanId])
      })
    }
  })
}
