import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import type { WebSocket } from 'ws'
import type { Fixture } from '../fixture.ts'
import { OPCODE } from '../frames.ts'
import type { Harness } from '../harness.ts'
import { linkTo } from '../telemetry.ts'

export function sendTests(harness: Harness, fixture: Fixture): void {
  const { route } = harness
  const name = `send ${route}`

  /** The four shapes of a call; each resolves once its callback, if it has one, was called. */
  const shapes: Record<string, (socket: WebSocket, data: string) => Promise<unknown[]>> = {
    '(data)': async (socket, data) => {
      socket.send(data)
      return []
    },
    '(data, callback)': (socket, data) => new Promise((resolve) => socket.send(data, (...all) => resolve(all))),
    '(data, options)': async (socket, data) => {
      socket.send(data, { binary: false })
      return []
    },
    '(data, options, callback)': (socket, data) =>
      new Promise((resolve) => socket.send(data, { binary: false }, (...all) => resolve(all))),
  }

  describe('send', () => {
    it.each(Object.keys(shapes))('in the shape %s makes the same span, linked and counted', async (shape) => {
      const { client, socket, connection } = await fixture.open({ telemetry: {} })
      const args = await shapes[shape]?.(socket, 'h\u00e9')
      expect(await client.next()).toBe('h\u00e9')
      if (shape.endsWith('callback)')) expect(args?.[0]).toBeFalsy()
      const span = await fixture.telemetry.waitForSpan(name)
      const handshake = fixture.telemetry.span(`GET ${route}`)
      expect(span.kind).toBe(SpanKind.PRODUCER)
      expect(span.parentSpanContext).toBeUndefined()
      expect(span.links).toEqual([linkTo(handshake)])
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

    it('in a handler is a child of its process span, without links', async () => {
      const { client } = await fixture.open({
        telemetry: {},
        connection(socket) {
          socket.on('message', async (data) => {
            socket.send(data.toString())
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

    it('is a child of the application span that is active', async () => {
      const { client, socket } = await fixture.open({ telemetry: {} })
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
      ['a number', 1234, 'text', 4],
      ['a Buffer', Buffer.alloc(7), 'binary', 7],
      ['a Uint8Array', new Uint8Array(9), 'binary', 9],
      ['a Float64Array', new Float64Array(2), 'binary', 16],
      ['a DataView', new DataView(new ArrayBuffer(10), 2, 5), 'binary', 5],
      ['an ArrayBuffer', new ArrayBuffer(11), 'binary', 11],
      ['a Blob', new Blob(['abc', 'd\u00e9']), 'binary', 6],
      ['an array of bytes', [1, 2, 3], 'binary', 3],
    ])('of %s tells type and size', async (_what, data, type, size) => {
      const { client, socket } = await fixture.open({ telemetry: {} })
      socket.send(data as Buffer)
      const message = await client.nextMessage()
      expect(message.data.length).toBe(size)
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.attributes['websocket.message.type']).toBe(type)
      expect(span.attributes['websocket.message.size']).toBe(size)
    })

    it('with the option binary tells the type that goes over the wire', async () => {
      const { client, socket } = await fixture.open({ telemetry: {} })
      socket.send('text as bytes', { binary: true })
      socket.send(Buffer.from('bytes as text'), { binary: false })
      expect((await client.nextMessage()).binary).toBe(true)
      expect((await client.nextMessage()).binary).toBe(false)
      await fixture.telemetry.waitForSpan(name, 2)
      expect(fixture.telemetry.spans(name).map((span) => span.attributes['websocket.message.type'])).toEqual([
        'binary',
        'text',
      ])
    })

    it('of a Blob is in order with what follows, and numbered in the order of the calls', async () => {
      const { client, socket } = await fixture.open({ telemetry: {} })
      socket.send(new Blob(['first']) as unknown as Buffer)
      socket.send('second')
      expect([await client.next(), await client.next()]).toEqual(['first', 'second'])
      await fixture.telemetry.waitForSpan(name, 2)
      const told = fixture.telemetry
        .spans(name)
        .map((span) => [span.attributes['websocket.message.size'], span.attributes['websocket.message.sequence']])
      expect(told.sort()).toEqual([
        [5, 1],
        [6, 2],
      ])
    })

    it('of fragments is one message', async () => {
      const { client, socket } = await fixture.open({ telemetry: {} })
      socket.send('he', { fin: false })
      socket.send('ll', { fin: false })
      socket.send('o', { fin: true })
      socket.send('next')
      expect([await client.next(), await client.next()]).toEqual(['hello', 'next'])
      await fixture.telemetry.waitForSpan(name, 2)
      await fixture.settle()
      const told = fixture.telemetry
        .spans(name)
        .map((span) => [span.attributes['websocket.message.sequence'], span.attributes['websocket.message.size']])
      expect(told).toEqual([
        [1, 5],
        [2, 4],
      ])
      const close = fixture.telemetry.span(`close ${route}`)
      expect(close.attributes['websocket.connection.messages.sent']).toBe(2)
      expect(close.attributes['websocket.connection.bytes.sent']).toBe(9)
    })

    it('tells frames and the time until they were flushed, on demand', async () => {
      const { client, socket } = await fixture.open({ telemetry: { frames: true } })
      socket.send('whole')
      await client.next()
      const whole = await fixture.telemetry.waitForSpan(name)
      expect(whole.attributes['websocket.message.frames']).toBe(1)
      expect(whole.attributes['websocket.message.send_time']).toBeGreaterThan(0)
      socket.send('in ', { fin: false })
      await new Promise((resolve) => setTimeout(resolve, 30))
      socket.send('pieces', { fin: true })
      expect(await client.next()).toBe('in pieces')
      const pieces = await fixture.telemetry.waitForSpan(name, 2)
      expect(pieces.attributes['websocket.message.frames']).toBe(2)
      expect(pieces.attributes['websocket.message.send_time']).toBeGreaterThanOrEqual(0.028)
    })

    it('is numbered apart from what is received', async () => {
      const { client } = await fixture.open({
        telemetry: {},
        connection(socket) {
          socket.send('welcome')
          socket.on('message', (data) => socket.send(data.toString()))
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

    it('in the callback of another send is traced', async () => {
      const { client, socket } = await fixture.open({ telemetry: {} })
      socket.send('a', () => socket.send('b'))
      expect([await client.next(), await client.next()]).toEqual(['a', 'b'])
      await fixture.telemetry.waitForSpan(name, 2)
    })

    it('to a socket that is closed is counted as undelivered and calls back with the error', async () => {
      const { client, socket } = await fixture.open({ telemetry: {} })
      await client.close(1000)
      await fixture.telemetry.waitForSpan(`close ${route}`)
      const error = await new Promise<Error | undefined>((resolve) => socket.send('late', resolve))
      expect(error?.message).toBe('WebSocket is not open: readyState 3 (CLOSED)')
      socket.send('dropped')
      await fixture.settle()
      const rows = await fixture.telemetry.collect('websocket.server.send.undelivered')
      expect(rows.map(({ attributes, value }) => ({ attributes, value }))).toEqual([
        { attributes: { 'websocket.route': route, 'websocket.send.undelivered.reason': 'not_open' }, value: 2 },
      ])
      const close = fixture.telemetry.span(`close ${route}`)
      expect(close.attributes['websocket.connection.messages.sent']).toBe(0)
    })

    it('to a socket that is closing is counted as undelivered', async () => {
      const { client, socket } = await fixture.open({ telemetry: {} })
      socket.close(1000)
      const error = await new Promise<Error | undefined>((resolve) => socket.send('late', resolve))
      expect(error?.message).toBe('WebSocket is not open: readyState 2 (CLOSING)')
      await client.closed
      const rows = await fixture.telemetry.collect('websocket.server.send.undelivered')
      expect(rows.map((row) => row.value)).toEqual([1])
    })

    it('that fails ends its span with the error', async () => {
      const { client, socket } = await fixture.open({ telemetry: {} })
      client.socket.pause()
      const errors = await Promise.all(
        [Buffer.alloc(32 * 1024 * 1024), 'behind it'].map(
          (data, index) =>
            new Promise<NodeJS.ErrnoException | null | undefined>((resolve) => {
              socket.send(data, (error) => resolve(error))
              if (index === 1) socket.terminate()
            }),
        ),
      )
      // Whether the write that was under way failed, Node's versions say differently.
      expect(errors[1]).toBeInstanceOf(Error)
      await fixture.telemetry.waitForSpan(name, 2)
      const told = fixture.telemetry
        .spans(name)
        .sort(
          (a, b) =>
            Number(a.attributes['websocket.message.sequence']) - Number(b.attributes['websocket.message.sequence']),
        )
      expect(told.map((span) => span.attributes['error.type'])).toEqual(errors.map((error) => error?.code))
      expect(told.map((span) => span.status.code)).toEqual(
        errors.map((error) => (error ? SpanStatusCode.ERROR : SpanStatusCode.UNSET)),
      )
      const rows = await fixture.telemetry.collect('websocket.server.send.undelivered')
      expect(rows.map(({ attributes, value }) => ({ attributes, value }))).toEqual([
        {
          attributes: { 'websocket.route': route, 'websocket.send.undelivered.reason': 'error' },
          value: errors.filter((error) => error).length,
        },
      ])
    })

    it('that throws ends its span with the error, which is the same', async () => {
      const { socket } = await fixture.open({ telemetry: {} })
      const thrown = ((): unknown => {
        try {
          socket.send({ not: 'sendable' } as unknown as string)
        } catch (error) {
          return error
        }
      })()
      expect(thrown).toBeInstanceOf(TypeError)
      await fixture.settle()
      expect(fixture.telemetry.openSpans()).toEqual([])
      const close = fixture.telemetry.span(`close ${route}`)
      expect(close.attributes['websocket.connection.messages.sent']).toBe(0)
    })

    it('of control frames is not traced', async () => {
      const host = await fixture.serve({
        telemetry: {},
        connection(socket) {
          socket.ping()
          socket.pong('unasked')
        },
      })
      const client = await fixture.rawConnect(host)
      expect([(await client.nextFrame()).opcode, (await client.nextFrame()).opcode]).toEqual([OPCODE.ping, OPCODE.pong])
      await fixture.settle()
      expect(fixture.telemetry.names()).toEqual([`GET ${route}`, `close ${route}`, `open ${route}`])
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
