import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { linkTo } from '../../testing/spans.ts'
import { echo, type Fixture } from '../fixture.ts'
import type { Harness } from '../harness.ts'

export function shapeTests(harness: Harness, fixture: Fixture): void {
  const { route } = harness
  const name = `connection ${route}`

  describe("traces: 'connection'", () => {
    it('is one trace, whose connection span lives from the 101 to the close', async () => {
      const { client, socket, connection } = await fixture.open({
        telemetry: { traces: 'connection' },
        connection: echo,
      })
      client.send('x')
      await client.next()
      socket.send('push')
      await client.next()
      await client.close(1000)
      const span = await fixture.telemetry.waitForSpan(name)
      await fixture.settle()
      const handshake = fixture.telemetry.span(`GET ${route}`)
      expect(span.kind).toBe(SpanKind.SERVER)
      expect(span.parentSpanContext?.spanId).toBe(handshake.spanContext().spanId)
      expect(span.links).toEqual([])
      expect(span.attributes).toEqual({
        'network.protocol.name': 'websocket',
        'network.transport': 'tcp',
        'websocket.connection.id': connection.id,
        'websocket.route': route,
        'websocket.close.code': 1000,
        'websocket.close.category': 'normal',
        'websocket.close.initiator': 'remote',
        'websocket.connection.duration': expect.any(Number),
        'websocket.connection.messages.received': 1,
        'websocket.connection.messages.sent': 2,
        'websocket.connection.bytes.received': 1,
        'websocket.connection.bytes.sent': 5,
      })
      const parents = fixture.telemetry.spans().map((each) => {
        const parent = fixture.telemetry
          .spans()
          .find((other) => other.spanContext().spanId === each.parentSpanContext?.spanId)
        return `${each.name} < ${parent?.name}`
      })
      expect(parents.sort()).toEqual(
        [
          `GET ${route} < undefined`,
          `connection ${route} < GET ${route}`,
          `open ${route} < GET ${route}`,
          `process ${route} < connection ${route}`,
          `send ${route} < connection ${route}`,
          `send ${route} < process ${route}`,
        ].sort(),
      )
      const traces = new Set(fixture.telemetry.spans().map((each) => each.spanContext().traceId))
      expect(traces.size).toBe(1)
      expect(fixture.telemetry.spans().flatMap((each) => each.links)).toEqual([])
    })

    it('puts an error close on the connection span', async () => {
      const { socket, client } = await fixture.open({ telemetry: { traces: 'connection' } })
      socket.close(1011)
      await client.closed
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.status.code).toBe(SpanStatusCode.ERROR)
    })

    it('continues in a new linked segment after a number of messages', async () => {
      const { client, connection } = await fixture.open({
        telemetry: { traces: 'connection', maxConnectionSpanMessages: 2, outgoing: false },
        connection: echo,
      })
      for (const text of ['a', 'b', 'c', 'd', 'e']) {
        client.send(text)
        await client.next()
      }
      await client.close(1000)
      const third = await fixture.telemetry.waitForSpan(name, 3)
      await fixture.settle()
      const [first, second] = fixture.telemetry.spans(name)
      if (!first || !second) throw new Error('three segments')
      const handshake = fixture.telemetry.span(`GET ${route}`)
      expect(first.parentSpanContext?.spanId).toBe(handshake.spanContext().spanId)
      expect(first.links).toEqual([])
      expect(second.parentSpanContext).toBeUndefined()
      expect(third.parentSpanContext).toBeUndefined()
      expect(second.links).toEqual([linkTo(handshake), linkTo(first, 'segment')])
      expect(third.links).toEqual([linkTo(handshake), linkTo(second, 'segment')])
      const children = [first, second, third].map(
        (segment) =>
          fixture.telemetry
            .spans(`process ${route}`)
            .filter((each) => each.parentSpanContext?.spanId === segment.spanContext().spanId).length,
      )
      expect(children).toEqual([2, 2, 1])
      for (const segment of [first, second, third]) {
        expect(segment.attributes['websocket.connection.id']).toBe(connection.id)
      }
      expect(first.attributes).not.toHaveProperty('websocket.close.code')
      expect(third.attributes['websocket.close.code']).toBe(1000)
      expect(fixture.telemetry.spans(`close ${route}`)).toEqual([])
    })

    it('continues in a new linked segment after some time', async () => {
      const { client } = await fixture.open({ telemetry: { traces: 'connection', maxConnectionSpanAge: 30 } })
      const first = await fixture.telemetry.waitForSpan(name)
      const second = await fixture.telemetry.waitForSpan(name, 2)
      expect(first.attributes['websocket.span.ended_by']).toBe('age')
      expect(second.parentSpanContext).toBeUndefined()
      expect(second.links.map((each) => each.context.spanId)).toContain(first.spanContext().spanId)
      await client.close(1000)
      await fixture.telemetry.waitUntil(
        () => fixture.telemetry.spans(name).some((span) => span.attributes['websocket.close.code'] === 1000),
        'the last segment',
      )
    })

    it('ends open segments at shutdown', async () => {
      const { host, client } = await fixture.open({
        telemetry: { traces: 'connection' },
        connection: echo,
      })
      expect(fixture.telemetry.spans(name)).toEqual([])
      await host.shutdown()
      const { attributes } = fixture.telemetry.span(name)
      if (!harness.capabilities.shutdownAlone) {
        expect(attributes['websocket.close.initiator']).toBe('local')
        return
      }
      expect(attributes['websocket.span.ended_by']).toBe('shutdown')
      client.send('x')
      expect(await client.next()).toBe('x')
      await client.close(1000)
      await fixture.settle()
      expect(fixture.telemetry.openSpans()).toEqual([])
    })
  })
}
