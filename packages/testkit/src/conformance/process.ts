import { on } from 'node:events'
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { createWebSocketStream, type WebSocket } from 'ws'
import type { Fixture } from '../fixture.ts'
import { encodeFrame, OPCODE } from '../frames.ts'
import type { Harness } from '../harness.ts'
import { linkTo, milliseconds } from '../telemetry.ts'

/** Long enough to tell a duration that includes it from one that does not. */
const DELAY = 60
/** Timers may fire up to this much early, in ms. */
const SLACK = 2

const delay = (ms = DELAY): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

export function processTests(harness: Harness, fixture: Fixture): void {
  const { route } = harness
  const name = `process ${route}`

  describe('process', () => {
    it('is a CONSUMER root with one link to the handshake and lean attributes', async () => {
      const { client, connection } = await fixture.open({
        telemetry: {},
        connection(socket) {
          socket.on('message', () => {})
        },
      })
      client.send('h\u00e9llo')
      const span = await fixture.telemetry.waitForSpan(name)
      const handshake = fixture.telemetry.span(`GET ${route}`)
      expect(span.kind).toBe(SpanKind.CONSUMER)
      expect(span.parentSpanContext).toBeUndefined()
      expect(span.links).toEqual([linkTo(handshake)])
      expect(span.attributes).toEqual({
        'websocket.connection.id': connection.id,
        'websocket.route': route,
        'websocket.message.type': 'text',
        'websocket.message.size': 6,
        'websocket.message.sequence': 1,
      })
      expect(span.status).toEqual({ code: SpanStatusCode.UNSET })
      expect(span.events).toEqual([])
    })

    it.each(['nodebuffer', 'arraybuffer', 'fragments'] as const)(
      'counts the bytes of a binary message as %s',
      async (binaryType) => {
        const { client } = await fixture.open({
          telemetry: {},
          connection(socket) {
            socket.binaryType = binaryType
            socket.on('message', () => {})
          },
        })
        client.send(Buffer.alloc(300, 1))
        const span = await fixture.telemetry.waitForSpan(name)
        expect(span.attributes['websocket.message.type']).toBe('binary')
        expect(span.attributes['websocket.message.size']).toBe(300)
      },
    )

    it('tells a fragmented message as one, an empty one too, in sequence', async () => {
      const host = await fixture.serve({
        telemetry: {},
        connection(socket) {
          socket.on('message', () => {})
        },
      })
      const client = await fixture.rawConnect(host)
      client.write(
        encodeFrame(OPCODE.text, 'he', { fin: false }),
        encodeFrame(OPCODE.ping, 'between'),
        encodeFrame(OPCODE.continuation, 'llo'),
        encodeFrame(OPCODE.text, ''),
      )
      await fixture.telemetry.waitForSpan(name, 2)
      const told = fixture.telemetry
        .spans(name)
        .map((span) => [span.attributes['websocket.message.sequence'], span.attributes['websocket.message.size']])
      expect(told).toEqual([
        [1, 5],
        [2, 0],
      ])
    })

    it('covers an async handler until it settles, and is active in all of it', async () => {
      const active: (string | undefined)[] = []
      const note = (): number => active.push(trace.getActiveSpan()?.spanContext().spanId)
      const { client } = await fixture.open({
        telemetry: {},
        connection(socket) {
          socket.on('message', async () => {
            note()
            await delay()
            note()
            trace.getTracer('app').startSpan('work').end()
          })
        },
      })
      client.send('x')
      const span = await fixture.telemetry.waitForSpan(name)
      expect(milliseconds(span)).toBeGreaterThanOrEqual(DELAY - SLACK)
      expect(active).toEqual([span.spanContext().spanId, span.spanContext().spanId])
      expect(fixture.telemetry.span('work').parentSpanContext?.spanId).toBe(span.spanContext().spanId)
      expect(fixture.telemetry.span('work').links).toEqual([])
    })

    it('covers several listeners with one span, until the slowest has settled', async () => {
      const order: string[] = []
      const { client } = await fixture.open({
        telemetry: {},
        connection(socket) {
          socket.on('message', () => order.push('first'))
          socket.on('message', async () => {
            await delay()
            order.push('slow')
          })
          socket.on('message', async () => {
            order.push('last')
          })
        },
      })
      client.send('x')
      const span = await fixture.telemetry.waitForSpan(name)
      expect(milliseconds(span)).toBeGreaterThanOrEqual(DELAY - SLACK)
      expect(order).toEqual(['first', 'last', 'slow'])
      await fixture.settle()
      expect(fixture.telemetry.spans(name)).toHaveLength(1)
    })

    const asyncListeners: Record<string, (socket: WebSocket, listener: () => Promise<void>) => void> = {
      on: (socket, listener) => socket.on('message', listener),
      once: (socket, listener) => socket.once('message', listener),
      addListener: (socket, listener) => socket.addListener('message', listener),
      prependListener: (socket, listener) => socket.prependListener('message', listener),
      prependOnceListener: (socket, listener) => socket.prependOnceListener('message', listener),
      onmessage: (socket, listener) => {
        socket.onmessage = listener
      },
      addEventListener: (socket, listener) => socket.addEventListener('message', listener),
      'addEventListener once': (socket, listener) => socket.addEventListener('message', listener, { once: true }),
    }
    it.each(Object.keys(asyncListeners))('measures an async listener added by %s', async (how) => {
      const { client } = await fixture.open({
        telemetry: {},
        connection: (socket) => asyncListeners[how]?.(socket, () => delay()),
      })
      client.send('x')
      const span = await fixture.telemetry.waitForSpan(name)
      expect(milliseconds(span)).toBeGreaterThanOrEqual(DELAY - SLACK)
      await fixture.settle()
      expect(fixture.telemetry.spans(name)).toHaveLength(1)
    })

    it('of overlapping async handlers keeps each its own', async () => {
      const releases: (() => void)[] = []
      const inside: (string | undefined)[] = []
      const { client } = await fixture.open({
        telemetry: {},
        connection(socket) {
          socket.on('message', async (data) => {
            await new Promise<void>((resolve) => releases.push(resolve))
            inside.push(`${data}:${trace.getActiveSpan()?.spanContext().spanId}`)
            socket.send('released')
          })
          socket.on('message', () => releases.length === 3 && socket.send('all here'))
        },
      })
      for (const text of ['a', 'b', 'c']) client.send(text)
      await client.next()
      for (const release of [...releases].reverse()) {
        release()
        await client.next()
      }
      await fixture.telemetry.waitForSpan(name, 3)
      const spans = fixture.telemetry.spans(name)
      expect(spans.map((span) => span.attributes['websocket.message.sequence'])).toEqual([3, 2, 1])
      expect(inside).toEqual(spans.map((span, index) => `${['c', 'b', 'a'][index]}:${span.spanContext().spanId}`))
    })

    it('tells messages read by an async iterator', async () => {
      const { client } = await fixture.open({
        telemetry: {},
        async connection(socket) {
          for await (const [data] of on(socket, 'message')) socket.send(`got ${data}`)
        },
      })
      client.send('a')
      expect(await client.next()).toBe('got a')
      client.send('b')
      expect(await client.next()).toBe('got b')
      await fixture.telemetry.waitForSpan(name, 2)
    })

    it('tells messages read as a stream', async () => {
      const { client } = await fixture.open({
        telemetry: {},
        connection(socket) {
          const stream = createWebSocketStream(socket)
          stream.on('error', () => {})
          stream.pipe(stream)
        },
      })
      client.send('echo')
      expect(await client.next()).toBe('echo')
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.attributes['websocket.message.size']).toBe(4)
      await fixture.telemetry.waitForSpan(`send ${route}`)
    })

    it('tells messages that come in the same chunk as the upgrade', async () => {
      const host = await fixture.serve({
        telemetry: {},
        connection(socket) {
          socket.on('message', (data) => socket.send(data))
        },
      })
      const client = await fixture.rawConnect(host, { head: encodeFrame(OPCODE.text, 'early') })
      expect((await client.nextFrame()).payload.toString()).toBe('early')
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.attributes['websocket.message.sequence']).toBe(1)
    })

    it('tells frames and the time they took to come, on demand', async () => {
      const host = await fixture.serve({
        telemetry: { frames: true },
        connection(socket) {
          socket.on('message', () => {})
        },
      })
      const client = await fixture.rawConnect(host)
      client.send(OPCODE.text, 'whole')
      const whole = await fixture.telemetry.waitForSpan(name)
      expect(whole.attributes['websocket.message.frames']).toBe(1)
      client.send(OPCODE.text, 'in ', { fin: false })
      await delay(30)
      client.send(OPCODE.continuation, 'pie', { fin: false })
      client.send(OPCODE.continuation, 'ces')
      const pieces = await fixture.telemetry.waitForSpan(name, 2)
      expect(pieces.attributes['websocket.message.frames']).toBe(3)
      expect(pieces.attributes['websocket.message.receive_time']).toBeGreaterThanOrEqual(0.025)
    })

    it('does not trace pings and pongs', async () => {
      const host = await fixture.serve({
        telemetry: {},
        connection(socket) {
          socket.ping('server')
        },
      })
      const client = await fixture.rawConnect(host)
      expect((await client.nextFrame()).opcode).toBe(OPCODE.ping)
      client.send(OPCODE.ping, 'p')
      expect((await client.nextFrame()).opcode).toBe(OPCODE.pong)
      await fixture.settle()
      expect(fixture.telemetry.names()).toEqual([`GET ${route}`, `close ${route}`, `open ${route}`])
    })

    it('without any listener is still told', async () => {
      const { client } = await fixture.open({ telemetry: {} })
      client.send('x')
      await fixture.telemetry.waitForSpan(name)
    })

    it('of a handler that never settles ends with the telemetry', async () => {
      const { host, client } = await fixture.open({
        telemetry: {},
        connection(socket) {
          socket.on('message', () => {
            socket.send('started')
            return new Promise(() => {})
          })
        },
      })
      client.send('x')
      await client.next()
      expect(fixture.telemetry.spans(name)).toEqual([])
      await host.shutdown()
      const span = fixture.telemetry.span(name)
      expect(span.attributes['websocket.span.ended_by']).toBe('shutdown')
    })

    it('of a handler that outlives its connection lasts until the handler settles', async () => {
      let release: () => void = () => {}
      const { client, socket } = await fixture.open({
        telemetry: {},
        connection(socket) {
          socket.on('message', () => {
            socket.send('started')
            return new Promise<void>((resolve) => {
              release = resolve
            })
          })
        },
      })
      client.send('x')
      await client.next()
      await client.close(1000)
      const close = await fixture.telemetry.waitForSpan(`close ${route}`)
      expect(socket.readyState).toBe(socket.CLOSED)
      expect(fixture.telemetry.spans(name)).toEqual([])
      release()
      const span = await fixture.telemetry.waitForSpan(name)
      const ended = fixture.telemetry.spans()
      expect(ended.indexOf(span)).toBeGreaterThan(ended.indexOf(close))
    })

    it('keeps no span active for the next message, the close or a later timer of the socket', async () => {
      const active: (string | undefined)[] = []
      const { client } = await fixture.open({
        telemetry: {},
        connection(socket) {
          socket.on('message', () => {})
          socket.on('close', () => active.push(trace.getActiveSpan()?.spanContext().spanId))
        },
      })
      client.send('x')
      await fixture.telemetry.waitForSpan(name)
      await client.close(1000)
      await fixture.telemetry.waitForSpan(`close ${route}`)
      const message = fixture.telemetry.span(name).spanContext().spanId
      expect(active).toHaveLength(1)
      expect(active).not.toContain(message)
    })
  })
}
