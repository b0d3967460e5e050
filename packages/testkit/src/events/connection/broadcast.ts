import { SpanKind } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { placeOf } from '../expectations.ts'
import type { EventFixture } from '../fixture.ts'
import type { EventHarness, EventHost } from '../harness.ts'

export function broadcastTests(harness: EventHarness, fixture: EventFixture): void {
  const { names, capabilities, type } = harness

  describe('broadcast', () => {
    it('is one INTERNAL span with its recipients, under the message that caused it', async () => {
      let host: EventHost | undefined
      const opened = await fixture.open({ events: { spread: () => host?.broadcast('news', { n: 1 }) } })
      host = opened.host
      const others = [await fixture.connect(host), await fixture.connect(host)]
      opened.client.emit('spread')
      for (const client of [opened.client, ...others])
        expect(await client.next()).toEqual({ name: 'news', data: { n: 1 } })
      const process = await fixture.telemetry.waitForSpan('process spread')
      const span = fixture.telemetry.span('broadcast news')
      expect(span.kind).toBe(SpanKind.INTERNAL)
      expect(span.parentSpanContext?.spanId).toBe(process.spanContext().spanId)
      expect(span.links).toEqual([])
      expect(span.attributes).toEqual({
        ...placeOf(harness),
        'websocket.message.name': 'news',
        'websocket.message.type': type,
        'websocket.message.size': harness.size('server', 'news', { n: 1 }),
        'websocket.broadcast.recipients': 3,
        'websocket.broadcast.skipped': 0,
      })
      expect(fixture.telemetry.spans('send news')).toEqual([])
    })

    it('counts for every recipient, in their sequences and in the metrics', async () => {
      const { host, client, socket } = await fixture.open()
      const other = await fixture.connect(host)
      host.broadcast('news')
      await Promise.all([client.next(), other.next()])
      socket.emit('more')
      await client.next()
      const span = await fixture.telemetry.waitForSpan('send more')
      expect(span.attributes['websocket.message.sequence']).toBe(2)
      expect(await fixture.telemetry.collect('websocket.server.broadcast.recipients')).toMatchObject([
        { count: 1, sum: 2, attributes: { ...placeOf(harness), 'websocket.message.name': 'news' } },
      ])
      const sent = (await fixture.telemetry.collect('websocket.server.messages')).filter(
        ({ attributes }) => attributes['websocket.message.direction'] === 'send',
      )
      const rows = sent.map(({ value, attributes }) => [
        value,
        attributes['websocket.message.name'],
        attributes['websocket.message.delivery'],
        attributes['websocket.message.type'],
      ])
      expect(rows).toEqual([
        [2, 'news', 'broadcast', undefined],
        [1, 'more', 'personal', undefined],
      ])
    })

    it('outside of any span is a root without links', async () => {
      const { host, client } = await fixture.open()
      const other = await fixture.connect(host)
      host.broadcast('news')
      expect([(await client.next()).name, (await other.next()).name]).toEqual(['news', 'news'])
      const span = await fixture.telemetry.waitForSpan('broadcast news')
      expect(span.parentSpanContext).toBeUndefined()
      expect(span.links).toEqual([])
      expect(span.attributes['websocket.broadcast.recipients']).toBe(2)
    })

    // A host without broadcasts of its own loops over its connections: without any it does nothing.
    if (!capabilities.rooms) return
    it('without a client has no recipients', async () => {
      const { host, client } = await fixture.open()
      await client.leave()
      await fixture.telemetry.waitForSpan(`close ${names.route}`)
      host.broadcast('news')
      const span = await fixture.telemetry.waitForSpan('broadcast news')
      expect(span.parentSpanContext).toBeUndefined()
      expect(span.attributes['websocket.broadcast.recipients']).toBe(0)
    })

    it('goes to rooms and not to others', async () => {
      const rooms = ['a', 'b', 'a b']
      const host = await fixture.serve({
        connection(socket) {
          for (const room of rooms.shift()?.split(' ') ?? []) socket.join(room)
        },
      })
      const [a, b, both] = [await fixture.connect(host), await fixture.connect(host), await fixture.connect(host)]
      host.broadcast('to a', 1, { room: 'a' })
      host.broadcast('to a only', 2, { room: 'a', except: 'b' })
      host.broadcast('to all', 3)
      const received = async (client: typeof a, count: number) => {
        const events: string[] = []
        for (let n = 0; n < count; n++) events.push((await client.next()).name)
        return events
      }
      expect(await received(a, 3)).toEqual(['to a', 'to a only', 'to all'])
      expect(await received(b, 1)).toEqual(['to all'])
      expect(await received(both, 2)).toEqual(['to a', 'to all'])
      const recipients = ['to a', 'to a only', 'to all'].map(
        (name) => fixture.telemetry.span(`broadcast ${name}`).attributes['websocket.broadcast.recipients'],
      )
      expect(recipients).toEqual([2, 1, 3])
      const { attributes } = fixture.telemetry.span('broadcast to a only')
      expect(attributes).toMatchObject({ 'websocket.broadcast.rooms': ['a'], 'websocket.broadcast.except': ['b'] })
      const toAll = fixture.telemetry.span('broadcast to all').attributes
      for (const key of ['rooms', 'except']) expect(toAll).not.toHaveProperty(`websocket.broadcast.${key}`)
    })

    it('counts who joins and leaves a room of the application', async () => {
      const host = await fixture.serve({
        connection(socket) {
          for (let n = 0; n < 12; n++) socket.join(`room ${n}`)
        },
      })
      const client = await fixture.connect(host)
      const changes = async () => {
        const rows = await fixture.telemetry.collect('websocket.server.room.changes')
        return rows.map(({ value, attributes }) => [attributes['websocket.room.change'], value])
      }
      expect(await changes()).toEqual([['join', 12]])
      await client.leave()
      await fixture.telemetry.waitForSpan(`close ${names.route}`)
      expect(await changes()).toEqual([
        ['join', 12],
        ['leave', 12],
      ])
    })
  })
}
