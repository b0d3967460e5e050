import { SpanKind } from '@opentelemetry/api'
import { AlwaysOffSampler } from '@opentelemetry/sdk-trace'
import { describe, expect, it } from 'vitest'
import type { TestClient } from '../../testing/client.ts'
import type { Fixture } from '../fixture.ts'
import type { Harness, Host, HostSocket } from '../harness.ts'

export function broadcastTests(harness: Harness, fixture: Fixture): void {
  const { route } = harness
  const name = `broadcast ${route}`
  const sendName = `send ${route}`

  interface Room {
    readonly host: Host
    readonly clients: TestClient[]
    readonly sockets: HostSocket[]
  }

  async function room(
    size: number,
    telemetry = {},
    onMessage?: (data: string, sockets: HostSocket[]) => void,
  ): Promise<Room> {
    const sockets: HostSocket[] = []
    const host = await fixture.serve({
      telemetry,
      connection(socket) {
        sockets.push(socket)
        if (onMessage) socket.onMessage((data) => onMessage(data.toString(), sockets))
      },
    })
    const clients: TestClient[] = []
    for (let index = 0; index < size; index++) clients.push(await fixture.connect(host))
    await fixture.telemetry.waitForSpan(`open ${route}`, size)
    return { host, clients, sockets }
  }

  describe('broadcast', () => {
    it('is counted on the next send and on the close of each recipient', async () => {
      const { clients } = await room(3, {}, (data, sockets) => {
        if (data === 'all') for (const socket of sockets) socket.send(data)
        else for (const socket of sockets.slice(1)) socket.send(`${data} ${sockets.indexOf(socket)}`)
      })
      const [first, second, third] = clients as [TestClient, TestClient, TestClient]
      for (const text of ['all', 'all', 'one']) {
        first.send(text)
        expect(await second.next()).toBe(text === 'all' ? text : 'one 1')
      }
      for (const client of [second, third, first]) await client.close(1000)
      await fixture.settle()
      const COUNT = 'websocket.connection.messages.sent.broadcast'
      const counts = (of: string) => fixture.telemetry.spans(of).map(({ attributes }) => attributes[COUNT])
      expect(counts(sendName)).toEqual([2, 2])
      // Nothing has changed since for the two that were sent something of their own.
      expect(counts(`close ${route}`)).toEqual([undefined, undefined, 2])
    })

    it('by a loop in a handler is one span, child of the process span', async () => {
      const { clients } = await room(5, {}, (data, sockets) => {
        for (const socket of sockets) socket.send(data)
      })
      clients[0]?.send('h\u00e9')
      expect(await Promise.all(clients.map((client) => client.next()))).toEqual(Array(5).fill('h\u00e9'))
      const span = await fixture.telemetry.waitForSpan(name)
      const process = await fixture.telemetry.waitForSpan(`process ${route}`)
      await fixture.settle()
      expect(span.kind).toBe(SpanKind.INTERNAL)
      expect(span.parentSpanContext?.spanId).toBe(process.spanContext().spanId)
      expect(span.links).toEqual([])
      expect(span.attributes).toEqual({
        'websocket.route': route,
        'websocket.message.type': 'text',
        'websocket.message.size': 3,
        'websocket.broadcast.recipients': 5,
        'websocket.broadcast.skipped': 0,
      })
      expect(fixture.telemetry.spans(name)).toHaveLength(1)
      expect(fixture.telemetry.spans(sendName)).toEqual([])
    })

    it('by a loop outside any handler is a root', async () => {
      const { clients, sockets } = await room(3)
      for (const socket of sockets) socket.send('news')
      await Promise.all(clients.map((client) => client.next()))
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.parentSpanContext).toBeUndefined()
      expect(span.attributes['websocket.broadcast.recipients']).toBe(3)
    })

    it('of the same Buffer is one too', async () => {
      const { clients, sockets } = await room(3)
      const data = Buffer.from('bytes')
      for (const socket of sockets) socket.send(data)
      await Promise.all(clients.map((client) => client.next()))
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.attributes['websocket.message.type']).toBe('binary')
      expect(span.attributes['websocket.message.size']).toBe(5)
      await fixture.settle()
      expect(fixture.telemetry.spans(sendName)).toEqual([])
    })

    it('counts the sockets that were not open', async () => {
      const { clients, sockets } = await room(4)
      sockets[1]?.close(1000)
      for (const socket of sockets) socket.send('news')
      await Promise.all([0, 2, 3].map((index) => clients[index]?.next()))
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.attributes['websocket.broadcast.recipients']).toBe(3)
      expect(span.attributes['websocket.broadcast.skipped']).toBe(1)
      const [undelivered] = await fixture.telemetry.collect('websocket.server.send.undelivered')
      expect(undelivered?.value).toBe(1)
    })

    it('to 200 clients is one span and 200 messages', async () => {
      const { clients } = await room(200, {}, (data, sockets) => {
        for (const socket of sockets) socket.send(data)
      })
      clients[0]?.send('to all')
      await Promise.all(clients.map((client) => client.next()))
      await fixture.telemetry.waitForSpan(`process ${route}`)
      const span = await fixture.telemetry.waitForSpan(name)
      const inTrace = fixture.telemetry
        .spans()
        .filter((each) => each.spanContext().traceId === span.spanContext().traceId)
      expect(inTrace.map((each) => each.name).sort()).toEqual([name, `process ${route}`])
      const rows = await fixture.telemetry.collect('websocket.server.messages')
      expect(rows.find((row) => row.attributes['websocket.message.direction'] === 'send')?.value).toBe(200)
      const [recipients] = await fixture.telemetry.collect('websocket.server.broadcast.recipients')
      expect(recipients).toMatchObject({
        unit: '{connection}',
        count: 1,
        sum: 200,
        attributes: { 'websocket.route': route },
      })
      const [duration] = await fixture.telemetry.collect('websocket.server.broadcast.duration')
      expect(duration).toMatchObject({ unit: 's', count: 1, attributes: { 'websocket.route': route } })
    })

    it('is not assumed of different data, nor of one recipient', async () => {
      const { clients, sockets } = await room(3)
      for (const [index, socket] of sockets.entries()) socket.send(`only for ${index}`)
      await Promise.all(clients.map((client) => client.next()))
      await fixture.telemetry.waitForSpan(sendName, 3)
      sockets[0]?.send('alone')
      await clients[0]?.next()
      await fixture.telemetry.waitForSpan(sendName, 4)
      await fixture.settle()
      expect(fixture.telemetry.spans(name)).toEqual([])
    })

    it('is not assumed of the same data sent twice to one socket', async () => {
      const { clients, sockets } = await room(1)
      sockets[0]?.send('tick')
      sockets[0]?.send('tick')
      await clients[0]?.next()
      await clients[0]?.next()
      await fixture.telemetry.waitForSpan(sendName, 2)
      await fixture.settle()
      expect(fixture.telemetry.spans(name)).toEqual([])
    })

    it('is not assumed of the same data in different turns', async () => {
      const { clients, sockets } = await room(2)
      for (const [index, socket] of sockets.entries()) {
        socket.send('tick')
        await clients[index]?.next()
      }
      await fixture.telemetry.waitForSpan(sendName, 2)
      await fixture.settle()
      expect(fixture.telemetry.spans(name)).toEqual([])
    })

    it('made twice in one run is two spans, and a reply between them is a send', async () => {
      const { clients } = await room(3, {}, (_data, sockets) => {
        for (const socket of sockets) socket.send('one')
        sockets[0]?.send('reply')
        for (const socket of sockets) socket.send('two')
      })
      clients[0]?.send('go')
      expect([await clients[0]?.next(), await clients[0]?.next(), await clients[0]?.next()]).toEqual([
        'one',
        'reply',
        'two',
      ])
      await fixture.telemetry.waitForSpan(name, 2)
      await fixture.telemetry.waitForSpan(sendName)
      await fixture.settle()
      expect(fixture.telemetry.spans(name).map((span) => span.attributes['websocket.broadcast.recipients'])).toEqual([
        3, 3,
      ])
      expect(fixture.telemetry.spans(sendName)).toHaveLength(1)
    })

    it('of the same data twice in one run is two spans too', async () => {
      const { clients, sockets } = await room(3)
      for (const socket of sockets) socket.send('tick')
      for (const socket of sockets) socket.send('tick')
      for (const client of clients) expect([await client.next(), await client.next()]).toEqual(['tick', 'tick'])
      await fixture.telemetry.waitForSpan(name, 2)
      await fixture.settle()
      expect(fixture.telemetry.spans(name).map((span) => span.attributes['websocket.broadcast.recipients'])).toEqual([
        3, 3,
      ])
      expect(fixture.telemetry.spans(sendName)).toEqual([])
    })

    it('is measured exactly where messages are not sampled', async () => {
      const { clients } = await room(4, {}, (_data, sockets) => {
        const [first, ...others] = sockets as [HostSocket, ...HostSocket[]]
        first.close(1000)
        // One to two recipients, the first skipped; one in turn with another payload; one again; and two that are none.
        for (const socket of sockets.slice(0, 3)) socket.send('one')
        for (const socket of others) {
          socket.send('in')
          socket.send('turn')
        }
        for (const socket of others) socket.send('in')
        others[0]?.send('alone')
        others[0]?.send('alone')
      })
      fixture.telemetry.sampler = new AlwaysOffSampler()
      const last = clients[3] as TestClient
      last.send('go')
      expect([await last.next(), await last.next(), await last.next()]).toEqual(['in', 'turn', 'in'])
      const [recipients] = await fixture.telemetry.collect('websocket.server.broadcast.recipients')
      expect(recipients).toMatchObject({ count: 4, sum: 2 + 3 + 3 + 3 })
      const [duration] = await fixture.telemetry.collect('websocket.server.broadcast.duration')
      expect(duration).toMatchObject({ count: 4 })
      expect(duration?.sum).toBeGreaterThan(0)
      const [undelivered] = await fixture.telemetry.collect('websocket.server.send.undelivered')
      expect(undelivered?.value).toBe(1)
      expect([...fixture.telemetry.spans(name), ...fixture.telemetry.spans(sendName)]).toEqual([])
    })

    it('advances the sequence of every recipient', async () => {
      const { clients, sockets } = await room(2)
      for (const socket of sockets) socket.send('both')
      await Promise.all(clients.map((client) => client.next()))
      sockets[1]?.send('second')
      await clients[1]?.next()
      expect((await fixture.telemetry.waitForSpan(sendName)).attributes['websocket.message.sequence']).toBe(2)
    })

    if (!harness.capabilities.broadcast) return
    it('by broadcast() goes to all that are open and has a name', async () => {
      const { host, clients, sockets } = await room(3)
      sockets[2]?.close(1000)
      host.broadcast?.(sockets, 'news', { name: 'headline' })
      expect([await clients[0]?.next(), await clients[1]?.next()]).toEqual(['news', 'news'])
      const span = await fixture.telemetry.waitForSpan('broadcast headline')
      expect(span.kind).toBe(SpanKind.INTERNAL)
      expect(span.attributes).toEqual({
        'websocket.route': route,
        'websocket.message.name': 'headline',
        'websocket.message.type': 'text',
        'websocket.message.size': 4,
        'websocket.broadcast.recipients': 2,
        'websocket.broadcast.skipped': 1,
      })
      await fixture.settle()
      expect(fixture.telemetry.spans(sendName)).toEqual([])
    })
  })
}
