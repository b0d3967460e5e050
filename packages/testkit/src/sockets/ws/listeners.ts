import { on } from 'node:events'
import { SpanStatusCode } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { createWebSocketStream, type WebSocket } from 'ws'
import { DELAY, delay, SLACK } from '../../shared/durations.ts'
import { withProcessErrors } from '../../testing/process-errors.ts'
import { milliseconds } from '../../testing/spans.ts'
import type { Harness } from '../harness.ts'
import type { WsFixture } from '../ws-fixture.ts'

const asyncListeners: Readonly<Record<string, (socket: WebSocket, listener: () => Promise<void>) => void>> = {
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

/** The ways to listen to a socket of `ws`. */
export function listenerTests({ route }: Harness, fixture: WsFixture): void {
  const name = `process ${route}`

  describe('listeners of ws', () => {
    it.each(Object.keys(asyncListeners))('are measured until they settle: %s', async (how) => {
      const { client } = await fixture.open({
        connection: (socket) => asyncListeners[how]?.(socket, async () => delay()),
      })
      client.send('x')
      const span = await fixture.telemetry.waitForSpan(name)
      expect(milliseconds(span)).toBeGreaterThanOrEqual(DELAY - SLACK)
      await fixture.settle()
      expect(fixture.telemetry.spans(name)).toHaveLength(1)
    })

    it('are covered by one span, until the slowest has settled', async () => {
      const order: string[] = []
      const { client } = await fixture.open({
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

    it('of which one throws: the span has its error, and later ones are not called', async () => {
      await withProcessErrors(async (errors) => {
        const called: string[] = []
        const error = new TypeError('boom')
        const { client } = await fixture.open({
          connection(socket) {
            socket.on('message', () => {
              called.push('first')
              throw error
            })
            socket.on('message', () => called.push('second'))
          },
        })
        client.send('x')
        const span = await fixture.telemetry.waitForSpan(name)
        expect(await errors.next()).toEqual({ event: 'uncaughtException', error })
        expect(called).toEqual(['first'])
        expect(span.attributes['error.type']).toBe('TypeError')
      })
    })

    it('of which one rejects: the others are waited for, and its error is recorded once', async () => {
      await withProcessErrors(async (errors) => {
        const { client } = await fixture.open({
          connection(socket) {
            socket.on('message', async () => {
              throw new TypeError('early')
            })
            socket.on('message', async () => delay())
          },
        })
        client.send('x')
        expect((await errors.next()).event).toBe('unhandledRejection')
        const span = await fixture.telemetry.waitForSpan(name)
        expect(milliseconds(span)).toBeGreaterThanOrEqual(DELAY - SLACK)
        expect(span.status.code).toBe(SpanStatusCode.ERROR)
        expect(span.attributes['error.type']).toBe('TypeError')
        expect(span.events).toHaveLength(1)
      })
    })

    it('can be an async iterator', async () => {
      const { client } = await fixture.open({
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

    it('can be a stream', async () => {
      const { client } = await fixture.open({
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

    it('of a close that the application emits again make no other span', async () => {
      const { client, socket } = await fixture.open()
      await client.close(1000)
      await fixture.telemetry.waitForSpan(`close ${route}`)
      socket.emit('close', 1011, Buffer.alloc(0))
      await fixture.settle()
      expect(fixture.telemetry.span(`close ${route}`).attributes['websocket.close.code']).toBe(1000)
      const [duration, ...more] = await fixture.telemetry.collect('websocket.server.connection.duration')
      expect([duration?.count, more]).toEqual([1, []])
    })
  })
}
