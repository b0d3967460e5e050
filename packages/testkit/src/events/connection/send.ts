import { SpanKind } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { describe, expect, it } from 'vitest'
import { linkTo } from '../../testing/spans.ts'
import { placeOf } from '../expectations.ts'
import type { EventFixture } from '../fixture.ts'
import type { EventHarness, EventSocket } from '../harness.ts'

export function sendTests(harness: EventHarness, fixture: EventFixture): void {
  const { names, type } = harness

  describe('send', () => {
    it('is an INTERNAL child of the message that is answered, without links', async () => {
      const { client, connection } = await fixture.open({
        events: {
          async hello(from) {
            await null
            from.emit('answer', { to: 'y\u00f6u' })
          },
        },
      })
      client.emit('hello')
      expect(await client.next()).toEqual({ name: 'answer', data: { to: 'y\u00f6u' } })
      const span = await fixture.telemetry.waitForSpan('send answer')
      const process = await fixture.telemetry.waitForSpan('process hello')
      expect(span.kind).toBe(SpanKind.INTERNAL)
      expect(span.parentSpanContext?.spanId).toBe(process.spanContext().spanId)
      expect(span.links).toEqual([])
      expect(span.attributes).toEqual({
        ...placeOf(harness),
        'websocket.connection.id': connection.id,
        'websocket.message.name': 'answer',
        'websocket.message.type': type,
        'websocket.message.size': harness.size('server', 'answer', { to: 'y\u00f6u' }),
        'websocket.message.sequence': 1,
      })
    })

    it('to another connection is linked to the handshake of its receiver', async () => {
      const sockets: EventSocket[] = []
      const host = await fixture.serve({
        connection: (socket) => void sockets.push(socket),
        events: { hello: () => sockets[1]?.emit('news', 1) },
      })
      const first = await fixture.connect(host)
      const second = await fixture.connect(host)
      first.emit('hello')
      expect(await second.next()).toEqual({ name: 'news', data: 1 })
      const span = await fixture.telemetry.waitForSpan('send news')
      const id = host.connectionOf(sockets[1] as EventSocket)?.id
      const receiver = fixture.telemetry
        .spans(names.handshake)
        .find(({ attributes }) => attributes['websocket.connection.id'] === id) as ReadableSpan
      expect(span.links).toEqual([linkTo(receiver, 'receiver')])
    })

    it.runIf(harness.capabilities.rooms)('to a room is linked to its receiver where that is one only', async () => {
      const sockets: EventSocket[] = []
      const host = await fixture.serve({
        connection: (socket) => void sockets.push(socket),
        events: { hello: () => host.broadcast('news', 1, { room: 'one' }), all: () => host.broadcast('news', 2) },
      })
      const first = await fixture.connect(host)
      const second = await fixture.connect(host)
      sockets[1]?.join('one')
      first.emit('hello')
      await second.next()
      first.emit('all')
      await second.next()
      await fixture.telemetry.waitForSpan('broadcast news', 2)
      const [toOne, toAll] = fixture.telemetry.spans('broadcast news')
      expect(toOne?.links.map((link) => link.attributes?.['websocket.link.kind'])).toEqual(['receiver'])
      expect(toOne?.attributes['websocket.broadcast.recipients']).toBe(1)
      expect(toAll?.links).toEqual([])
    })

    it('is a root linked to the handshake outside of any span', async () => {
      const { client, socket } = await fixture.open()
      socket.emit('news', 1)
      socket.emit('news', 2)
      await client.next()
      const span = await fixture.telemetry.waitForSpan('send news', 2)
      expect(span.parentSpanContext).toBeUndefined()
      expect(span.links).toEqual([linkTo(fixture.telemetry.span(names.handshake))])
      expect(fixture.telemetry.spans('send news').map((sent) => sent.attributes['websocket.message.sequence'])).toEqual(
        [1, 2],
      )
    })

    it('on a connection that has ended is counted as not open', async () => {
      const { client, socket } = await fixture.open()
      await client.leave()
      await fixture.telemetry.waitForSpan(`close ${names.route}`)
      socket.emit('late')
      const span = await fixture.telemetry.waitForSpan('send late')
      expect(span.attributes['error.type']).toBe('not_open')
      expect(await fixture.telemetry.collect('websocket.server.send.undelivered')).toMatchObject([
        { value: 1, attributes: { ...placeOf(harness), 'websocket.send.undelivered.reason': 'not_open' } },
      ])
    })

    it('is left out with outgoing: false', async () => {
      const { client, socket } = await fixture.open({ telemetry: { outgoing: false } })
      socket.emit('news')
      await client.next()
      await client.leave()
      await fixture.telemetry.waitForSpan(`close ${names.route}`)
      expect(fixture.telemetry.names().filter((name) => name.startsWith('send'))).toEqual([])
    })
  })
}
