import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { OPCODE } from '../../testing/frames.ts'
import { linkTo } from '../../testing/spans.ts'
import { echo, type Fixture } from '../fixture.ts'
import type { Harness, HostSocket } from '../harness.ts'
import { answerClose, CLOSE_CASE_LIMIT, type CloseCase, closeCases } from './close-cases.ts'

export function closeTests(harness: Harness, fixture: Fixture): void {
  const { route } = harness
  const name = `close ${route}`

  describe('close', () => {
    it.each([
      ['close()', (socket: HostSocket) => socket.close(1000)],
      ['terminate()', (socket: HostSocket) => socket.terminate()],
    ])('by %s in a handler is linked to the span of the message', async (_, leave) => {
      const { client } = await fixture.open({
        connection: (socket) => socket.onMessage(() => void leave(socket)),
      })
      client.send('x')
      const span = await fixture.telemetry.waitForSpan(name)
      const process = await fixture.telemetry.waitForSpan(`process ${route}`)
      const handshake = fixture.telemetry.span(`GET ${route}`)
      expect(span.links).toEqual([linkTo(handshake), linkTo(process, 'cause')])
    })

    it.each(Object.keys(closeCases))('has the true code, category and initiator: %s', async (which) => {
      const { act, reportedByWs, ...facts } = closeCases[which] as CloseCase
      const { code, category, initiator, error } = harness.closes?.[which] ?? facts
      let accepted: (socket: HostSocket) => void = () => {}
      const connected = new Promise<HostSocket>((resolve) => {
        accepted = resolve
      })
      const host = await fixture.serve({ maxMessageSize: CLOSE_CASE_LIMIT, connection: (socket) => accepted(socket) })
      const peer = await fixture.rawConnect(host)
      const socket = await connected
      const closed = new Promise<number>((resolve) => socket.onClose(resolve))
      const connection = host.connectionOf(socket.raw)
      void answerClose(peer)
      act(peer, socket)
      const reported = await closed
      if (harness.capabilities.ws) expect(reported).toBe(reportedByWs ?? code)
      const span = await fixture.telemetry.waitForSpan(name)
      const handshake = fixture.telemetry.span(`GET ${route}`)
      expect(span.kind).toBe(SpanKind.INTERNAL)
      expect(span.parentSpanContext).toBeUndefined()
      const cause = fixture.telemetry.spans(`process ${route}`).map((process) => linkTo(process, 'cause'))
      expect(span.links).toEqual([linkTo(handshake), ...cause])
      const received = which.startsWith('both') ? { messages: 1, bytes: 3 } : { messages: 0, bytes: 0 }
      expect(span.attributes).toEqual({
        'network.protocol.name': 'websocket',
        'network.transport': 'tcp',
        'websocket.connection.id': connection?.id,
        'websocket.route': route,
        'websocket.close.code': code,
        'websocket.close.category': category,
        'websocket.close.initiator': initiator,
        'websocket.connection.duration': expect.any(Number),
        'websocket.connection.messages.received': received.messages,
        'websocket.connection.messages.sent': 0,
        'websocket.connection.bytes.received': received.bytes,
        'websocket.connection.bytes.sent': 0,
        ...(error ? { 'error.type': category } : {}),
      })
      expect(span.status.code).toBe(error ? SpanStatusCode.ERROR : SpanStatusCode.UNSET)

      await fixture.settle()
      expect(fixture.telemetry.spans(name)).toHaveLength(1)
      const rows = await fixture.telemetry.collect('websocket.server.connection.duration')
      const label = code >= 4000 ? '4xxx' : code >= 3000 ? '3xxx' : code
      expect(rows.map(({ unit, attributes, count }) => ({ unit, attributes, count }))).toEqual([
        {
          unit: 's',
          attributes: {
            'websocket.route': route,
            'websocket.close.code': label,
            'websocket.close.category': category,
            'websocket.close.initiator': initiator,
          },
          count: 1,
        },
      ])
    })

    it('by a server that goes down is one span per connection', async () => {
      const sockets: HostSocket[] = []
      const host = await fixture.serve({ connection: (socket) => void sockets.push(socket) })
      const clients = await Promise.all([fixture.connect(host), fixture.connect(host), fixture.connect(host)])
      await fixture.telemetry.waitForSpan(`open ${route}`, 3)
      for (const socket of sockets) socket.close(1001, 'restarting')
      expect(await Promise.all(clients.map((client) => client.closed))).toEqual(
        Array(3).fill({ code: 1001, reason: 'restarting' }),
      )
      await fixture.settle()
      const closes = fixture.telemetry
        .spans(name)
        .map((span) => [span.attributes['websocket.close.code'], span.attributes['websocket.close.initiator']])
      expect(closes).toEqual(Array(3).fill([1001, 'local']))
    })

    it('has the totals of the connection', async () => {
      const { client } = await fixture.open({
        connection(socket) {
          socket.onMessage((data) => {
            socket.send(data)
            socket.send('h\u00e9')
          })
        },
      })
      client.send('12345')
      await client.next()
      await client.next()
      client.send(Buffer.alloc(10))
      await client.next()
      await client.next()
      await client.close(1000)
      const { attributes } = await fixture.telemetry.waitForSpan(name)
      expect(attributes).toMatchObject({
        'websocket.connection.messages.received': 2,
        'websocket.connection.bytes.received': 15,
        'websocket.connection.messages.sent': 4,
        'websocket.connection.bytes.sent': 21,
      })
    })

    it('has the duration of the connection', async () => {
      const before = performance.now()
      const { client } = await fixture.open({ connection: echo })
      const opened = performance.now()
      client.send('a round trip')
      await client.next()
      const atLeast = (performance.now() - opened) / 1e3
      await client.close(1000)
      const span = await fixture.telemetry.waitForSpan(name)
      const atMost = (performance.now() - before) / 1e3
      expect(span.attributes['websocket.connection.duration']).toBeGreaterThanOrEqual(atLeast)
      expect(span.attributes['websocket.connection.duration']).toBeLessThanOrEqual(atMost)
      const [row] = await fixture.telemetry.collect('websocket.server.connection.duration')
      expect(row?.sum).toBeCloseTo(span.attributes['websocket.connection.duration'] as number, 6)
    })

    it('has its reason only with option closeReason', async () => {
      const reason = 'because '.repeat(15)
      const without = await fixture.open()
      await without.client.close(4000, reason)
      const span = await fixture.telemetry.waitForSpan(name)
      expect(JSON.stringify(span.attributes)).not.toContain('because')
      const remote = await fixture.open({ telemetry: { closeReason: true } })
      await remote.client.close(4000, reason)
      expect((await fixture.telemetry.waitForSpan(name, 2)).attributes['websocket.close.reason']).toBe(reason)
      const local = await fixture.open({ telemetry: { closeReason: true } })
      local.socket.close(4000, 'by the server')
      expect((await fixture.telemetry.waitForSpan(name, 3)).attributes['websocket.close.reason']).toBe('by the server')
    })

    it('is an error in the categories of option closeErrors, and has the codes of option closeCodes', async () => {
      const { client } = await fixture.open({ telemetry: { closeErrors: ['application'], closeCodes: [4401] } })
      await client.close(4401)
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.status.code).toBe(SpanStatusCode.ERROR)
      const [row] = await fixture.telemetry.collect('websocket.server.connection.duration')
      expect(row?.attributes['websocket.close.code']).toBe(4401)
    })

    it('of one connection for a bad frame changes nothing for another', async () => {
      const host = await fixture.serve({ connection: echo })
      const good = await fixture.connect(host)
      const bad = await fixture.rawConnect(host)
      bad.send(OPCODE.text, 'x', { masked: false })
      await bad.closed
      await fixture.telemetry.waitForSpan(name)
      good.send('still here')
      expect(await good.next()).toBe('still here')
    })
  })
}
