import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { linkTo } from '../../testing/spans.ts'
import { echo, type Fixture, listen } from '../fixture.ts'
import type { Harness } from '../harness.ts'

export function acceptedTests(harness: Harness, fixture: Fixture): void {
  const { route } = harness
  const name = `GET ${route}`

  describe('accepted handshake', () => {
    it('makes one SERVER span that ends at the 101', async () => {
      const { host, connection } = await fixture.open({ client: { headers: { 'user-agent': 'probe/1.0' } } })
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
        ...(harness.capabilities.peerAddress && {
          'client.address': '127.0.0.1',
          'client.port': expect.any(Number),
        }),
        'user_agent.original': 'probe/1.0',
        'websocket.connection.id': connection.id,
        'websocket.route': route,
        'websocket.handshake.outcome': 'accepted',
      })
      expect(connection.id).toMatch(/^[0-9a-f]{16}$/)
      expect(connection.route).toBe(route)
    })

    it('ends before the first message is processed', async () => {
      const { client } = await fixture.open({ connection: listen })
      client.send('x')
      const message = await fixture.telemetry.waitForSpan(`process ${route}`)
      const ended = fixture.telemetry.spans()
      expect(ended.indexOf(fixture.telemetry.span(name))).toBeLessThan(ended.indexOf(message))
    })

    it('does not become the parent of what follows', async () => {
      const { client } = await fixture.open({ connection: listen })
      client.send('x')
      const message = await fixture.telemetry.waitForSpan(`process ${route}`)
      const handshake = fixture.telemetry.span(name)
      expect(message.parentSpanContext).toBeUndefined()
      expect(message.spanContext().traceId).not.toBe(handshake.spanContext().traceId)
      expect(message.links).toEqual([linkTo(handshake)])
      expect(trace.getSpan(context.active() ?? ROOT_CONTEXT)).toBeUndefined()
    })

    it('of several clients at once makes a span each', async () => {
      const host = await fixture.serve({ connection() {} })
      await Promise.all(Array.from({ length: 20 }, () => fixture.connect(host)))
      await fixture.telemetry.waitForSpan(name, 20)
      const ids = fixture.telemetry.spans(name).map((span) => span.attributes['websocket.connection.id'])
      expect(new Set(ids).size).toBe(20)
    })

    it('puts the negotiated subprotocol on every span', async () => {
      const { client, connection } = await fixture.open({
        client: { protocols: ['v2.chat', 'v1.chat'] },
        connection: echo,
      })
      expect(connection.subprotocol).toBe('v2.chat')
      client.send('x')
      await client.next()
      await client.close(1000)
      await fixture.telemetry.waitForSpan(`close ${route}`)
      const subprotocols = fixture.telemetry
        .spans()
        .map((span) => [span.name, span.attributes['websocket.subprotocol']])
      expect(subprotocols.sort()).toEqual(
        [`GET ${route}`, `close ${route}`, `open ${route}`, `process ${route}`, `send ${route}`]
          .map((each) => [each, 'v2.chat'])
          .sort(),
      )
    })

    it('has a query without secrets, also with encoded names, and keeps the rest byte for byte', async () => {
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

    it('has no secret, wherever in the request it stands', async () => {
      const host = await fixture.serve({ connection: echo })
      const client = await fixture.connect(host, {
        query: '?x-api-key=s3cret&next=%2F%3Ftoken%3Ds3cret&eyJhbGciOi.s3cret',
        protocols: ['eyJhbGciOi.s3cret'],
      })
      client.send('x')
      await client.next()
      await client.close(1000)
      const close = await fixture.telemetry.waitForSpan(`close ${route}`)
      expect(close.attributes['websocket.subprotocol']).toBe('REDACTED')
      expect(fixture.telemetry.span(name).attributes['url.query']).toBe('x-api-key=REDACTED&next=REDACTED&REDACTED')
      await fixture.settle()
      for (const each of fixture.telemetry.spans()) expect(JSON.stringify(each.attributes)).not.toContain('s3cret')
    })

    it('is active where the application decides on the request', async () => {
      const active: unknown[] = []
      await fixture.open({
        authorize() {
          active.push(trace.getActiveSpan()?.spanContext().spanId)
          return undefined
        },
      })
      const span = await fixture.telemetry.waitForSpan(name)
      expect(active).toEqual([span.spanContext().spanId])
    })

    it('is not made of plain HTTP', async () => {
      const host = await fixture.serve({ connection() {} })
      const response = await fetch(host.url.replace('ws:', 'http:'), { headers: { connection: 'close' } })
      await response.arrayBuffer()
      await fixture.settle()
      expect(fixture.telemetry.names()).toEqual([])
    })
  })
}
