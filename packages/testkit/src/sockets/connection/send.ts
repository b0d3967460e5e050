import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { describe, expect, it } from 'vitest'
import { linkTo } from '../../testing/spans.ts'
import { echo, type Fixture } from '../fixture.ts'
import type { Harness, HostSocket } from '../harness.ts'

const sequenceOf = (span: ReadableSpan): number => Number(span.attributes['websocket.message.sequence'])

export function sendTests(harness: Harness, fixture: Fixture): void {
  const { route } = harness
  const name = `send ${route}`

  describe('send', () => {
    it('outside of any span is an INTERNAL root linked to the handshake, and is counted', async () => {
      const { client, socket, connection } = await fixture.open()
      socket.send('h\u00e9')
      expect(await client.next()).toBe('h\u00e9')
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.kind).toBe(SpanKind.INTERNAL)
      expect(span.parentSpanContext).toBeUndefined()
      expect(span.links).toEqual([linkTo(fixture.telemetry.span(`GET ${route}`))])
      expect(span.attributes).toEqual({
        'websocket.connection.id': connection.id,
        'websocket.route': route,
        'websocket.message.type': 'text',
        'websocket.message.size': 3,
        'websocket.message.sequence': 1,
      })
      expect(span.status.code).toBe(SpanStatusCode.UNSET)
      const rows = await fixture.telemetry.collect('websocket.server.messages')
      expect(
        rows.filter((row) => row.attributes['websocket.message.direction'] === 'send').map((row) => row.value),
      ).toEqual([1])
    })

    it('beyond maxChildSpans of a handler is a root with a link to what caused it', async () => {
      const { client } = await fixture.open({
        telemetry: { maxChildSpans: 2 },
        async connection(socket) {
          for (const text of ['a', 'b', 'c']) socket.send(text)
          socket.onMessage(async () => {
            for (const text of ['d', 'e', 'f']) {
              socket.send(text)
              await new Promise(setImmediate)
            }
          })
        },
      })
      client.send('x')
      for (let messages = 0; messages < 6; messages++) await client.next()
      const { telemetry } = fixture
      const causes = [await telemetry.waitForSpan(`open ${route}`), await telemetry.waitForSpan(`process ${route}`)]
      await telemetry.waitForSpan(name, 6)
      const handshake = linkTo(telemetry.span(`GET ${route}`))
      const sends = telemetry.spans(name).sort((a, b) => sequenceOf(a) - sequenceOf(b))
      causes.forEach((cause, index) => {
        const [first, second, third] = sends.slice(index * 3)
        for (const child of [first, second]) {
          expect(child?.parentSpanContext?.spanId).toBe(cause.spanContext().spanId)
          expect(child?.links).toEqual([])
        }
        expect(third?.parentSpanContext).toBe(undefined)
        expect(third?.links).toEqual([handshake, linkTo(cause, 'cause')])
      })
    })

    it('in a handler is a child of its process span, without links', async () => {
      const { client } = await fixture.open({
        connection(socket) {
          socket.onMessage(async (data) => {
            socket.send(data)
            await new Promise(setImmediate)
            socket.send('later')
          })
        },
      })
      client.send('x')
      await client.next()
      await client.next()
      await fixture.telemetry.waitForSpan(name, 2)
      const process = await fixture.telemetry.waitForSpan(`process ${route}`)
      for (const span of fixture.telemetry.spans(name)) {
        expect(span.parentSpanContext?.spanId).toBe(process.spanContext().spanId)
        expect(span.links).toEqual([])
      }
    })

    it('to another connection is linked to the handshake of its receiver', async () => {
      const sockets: HostSocket[] = []
      const host = await fixture.serve({
        connection(socket) {
          sockets.push(socket)
          socket.onMessage(async () => {
            await new Promise(setImmediate)
            trace.getTracer('app').startActiveSpan('forward', (span) => {
              sockets[1]?.send('forwarded')
              span.end()
            })
            socket.send('sent')
          })
        },
      })
      const first = await fixture.connect(host)
      const second = await fixture.connect(host)
      first.send('x')
      expect([await first.next(), await second.next()]).toEqual(['sent', 'forwarded'])
      await fixture.telemetry.waitForSpan(name, 2)
      const sends = fixture.telemetry.spans(name)
      const connectionOf = (index: number) => host.connectionOf(sockets[index]?.raw as object)?.id
      const sentTo = (index: number) =>
        sends.find(({ attributes }) => attributes['websocket.connection.id'] === connectionOf(index))
      const receiver = fixture.telemetry
        .spans(`GET ${route}`)
        .find(({ attributes }) => attributes['websocket.connection.id'] === connectionOf(1)) as ReadableSpan
      expect(sentTo(0)?.links).toEqual([])
      expect(sentTo(1)?.links).toEqual([linkTo(receiver, 'receiver')])
      expect(sentTo(1)?.parentSpanContext?.spanId).toBe(fixture.telemetry.span('forward').spanContext().spanId)
    })

    it('is a child of the application span that is active', async () => {
      const { client, socket } = await fixture.open()
      trace.getTracer('app').startActiveSpan('job', (span) => {
        socket.send('x')
        span.end()
      })
      await client.next()
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.parentSpanContext?.spanId).toBe(fixture.telemetry.span('job').spanContext().spanId)
    })

    it.each([
      ['a string', 'h\u00e9llo', 'text', 6],
      ['an empty string', '', 'text', 0],
      ['an emoji', '\u{1f600}', 'text', 4],
      ['a lone surrogate', '\ud800', 'text', 3],
      ['a Buffer', Buffer.alloc(7), 'binary', 7],
      ['a Uint8Array', new Uint8Array(9), 'binary', 9],
    ])('of %s has its type and size', async (_what, data, type, size) => {
      const { client, socket } = await fixture.open()
      socket.send(data)
      const message = await client.nextMessage()
      expect(message.data.length).toBe(size)
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.attributes['websocket.message.type']).toBe(type)
      expect(span.attributes['websocket.message.size']).toBe(size)
    })

    it('is numbered apart from what is received', async () => {
      const { client } = await fixture.open({
        connection(socket) {
          socket.send('welcome')
          echo(socket)
        },
      })
      await client.next()
      client.send('a')
      await client.next()
      client.send('b')
      await client.next()
      await fixture.telemetry.waitForSpan(name, 3)
      const sequence = (of: string): unknown[] =>
        fixture.telemetry.spans(of).map((span) => span.attributes['websocket.message.sequence'])
      expect(sequence(name)).toEqual([1, 2, 3])
      expect(sequence(`process ${route}`)).toEqual([1, 2])
    })

    it('on a connection that is closing or closed is counted as undelivered', async () => {
      const { client, socket } = await fixture.open()
      const closed = new Promise((resolve) => socket.onClose(resolve))
      socket.close(1000)
      sendInVain(socket, 'while closing')
      await client.closed
      await closed
      await fixture.telemetry.waitForSpan(`close ${route}`)
      sendInVain(socket, 'afterwards')
      await fixture.settle()
      const rows = await fixture.telemetry.collect('websocket.server.send.undelivered')
      expect(rows.map(({ attributes, value }) => ({ attributes, value }))).toEqual([
        { attributes: { 'websocket.route': route, 'websocket.send.undelivered.reason': 'not_open' }, value: 2 },
      ])
      const close = fixture.telemetry.span(`close ${route}`)
      expect(close.attributes['websocket.connection.messages.sent']).toBe(0)
    })

    it('is not traced with outgoing: false, and counted all the same', async () => {
      const { client, socket } = await fixture.open({ telemetry: { outgoing: false } })
      socket.send('x')
      await client.next()
      await fixture.settle()
      expect(fixture.telemetry.names()).toEqual([`GET ${route}`, `close ${route}`, `open ${route}`])
      expect(fixture.telemetry.span(`close ${route}`).attributes['websocket.connection.messages.sent']).toBe(1)
    })
  })
}

/** Sends on a socket that is not open, which throws on some hosts. */
function sendInVain(socket: HostSocket, data: string): void {
  try {
    socket.send(data)
  } catch {
    // As the host wants it.
  }
}
