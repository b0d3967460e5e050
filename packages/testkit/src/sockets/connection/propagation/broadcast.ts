import { SpanKind, trace } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { describe, expect, it } from 'vitest'
import type { TestClient } from '../../../testing/client.ts'
import type { Fixture } from '../../fixture.ts'
import type { Harness, HostSocket } from '../../harness.ts'
import { OFFER, withContextOf, withContextOfBroadcast } from './carriers.ts'

export function broadcastContextTests(harness: Harness, fixture: Fixture): void {
  const { route } = harness
  const [name, sendName] = [`broadcast ${route}`, `send ${route}`]

  describe('context of a broadcast', () => {
    /** Three clients: one without an agreement between two that have agreed. */
    async function audience() {
      const sockets: HostSocket[] = []
      const host = await fixture.serve({ connection: (socket) => void sockets.push(socket) })
      const clients: TestClient[] = []
      for (const options of [OFFER, {}, OFFER]) clients.push(await fixture.connect(host, options))
      await fixture.telemetry.waitForSpan(`open ${route}`, 3)
      return { host, sockets, clients }
    }

    async function received(clients: readonly TestClient[]): Promise<string[]> {
      const texts: string[] = []
      for (const client of clients) texts.push(await client.next())
      return texts
    }

    it.each([
      ['first', [0, 1, 2], true],
      ['later', [1, 0, 2], false],
    ])('in a loop is one for all that have agreed, when such a client comes %s', async (_, order, isPartner) => {
      const { sockets, clients } = await audience()
      for (const index of order) sockets[index]?.send('{"a":1}')
      const wires = await received(clients)
      const span = await fixture.telemetry.waitForSpan(name)
      // Only a context that goes out before it is a broadcast can be that of the span's partner in a service graph.
      const first = isPartner ? withContextOf(span, '{"a":1}') : withContextOfBroadcast(span, '{"a":1}')
      expect(wires).toEqual([first, '{"a":1}', withContextOfBroadcast(span, '{"a":1}')])
      expect(fixture.telemetry.spans(sendName)).toEqual([])
      expect(span.kind).toBe(isPartner ? SpanKind.PRODUCER : SpanKind.INTERNAL)
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

    it('is under the span that it is made in', async () => {
      const { sockets, clients } = await audience()
      trace.getTracer('app').startActiveSpan('job', (job) => {
        for (const socket of sockets) socket.send('{}')
        job.end()
      })
      const wires = await received(clients)
      const span = await fixture.telemetry.waitForSpan(name)
      expect(wires[0]).toBe(withContextOf(span, '{}'))
      expect(span.parentSpanContext?.spanId).toBe(fixture.telemetry.span('job').spanContext().spanId)
    })

    it('is kept apart from that of another payload, sent in turn', async () => {
      const { sockets, clients } = await audience()
      for (const socket of sockets) {
        socket.send('{"a":1}')
        socket.send('{"b":2}')
      }
      const [first, second] = [await received(clients), await received(clients)]
      await fixture.telemetry.waitForSpan(name, 2)
      const [a, b] = fixture.telemetry.spans(name) as [ReadableSpan, ReadableSpan]
      expect(first[0]).toBe(withContextOf(a, '{"a":1}'))
      expect(second[2]).toBe(withContextOfBroadcast(b, '{"b":2}'))
    })

    it('is that of one span for each recipient when each is sent a payload of its own', async () => {
      const { sockets, clients } = await audience()
      sockets.forEach((socket, index) => {
        socket.send(`{"to":${index}}`)
      })
      const wires = await received(clients)
      await fixture.telemetry.waitForSpan(sendName, 3)
      const spans = fixture.telemetry.spans(sendName)
      for (const index of [0, 2]) {
        expect(wires[index]).toBe(withContextOf(spans[index] as ReadableSpan, `{"to":${index}}`))
      }
    })

    if (!harness.capabilities.broadcast) return
    it('by broadcast() is one for all that have agreed', async () => {
      const { host, sockets, clients } = await audience()
      host.broadcast?.(sockets, '{"a":1}')
      const wires = await received(clients)
      const span = await fixture.telemetry.waitForSpan(name)
      const withContext = withContextOfBroadcast(span, '{"a":1}')
      expect(wires).toEqual([withContext, '{"a":1}', withContext])
      expect(span.kind).toBe(SpanKind.INTERNAL)
      expect(span.links).toEqual([])
      expect(span.attributes).toMatchObject({ 'websocket.broadcast.recipients': 3 })
    })
  })
}
