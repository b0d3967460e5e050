import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import type { WebSocket } from 'ws'
import { linkTo } from '../../testing/spans.ts'
import type { Harness } from '../harness.ts'
import type { WsFixture } from '../ws-fixture.ts'

/** The forms of a call; each resolves with the arguments of its callback, if it has one, once that was called. */
const forms: Readonly<Record<string, (socket: WebSocket, data: string) => Promise<unknown[]>>> = {
  '(data, callback)': (socket, data) => new Promise((resolve) => socket.send(data, (...all) => resolve(all))),
  '(data, options)': async (socket, data) => {
    socket.send(data, { binary: false })
    return []
  },
  '(data, options, callback)': (socket, data) =>
    new Promise((resolve) => socket.send(data, { binary: false }, (...all) => resolve(all))),
}

/** Method `send` of `ws`: its callback, its errors and what it throws. */
export function callbackTests({ route }: Harness, fixture: WsFixture): void {
  const name = `send ${route}`

  describe('send of ws', () => {
    it.each(Object.keys(forms))('in the form %s makes the same span, linked and counted', async (form) => {
      const { client, socket, connection } = await fixture.open()
      const args = await forms[form]?.(socket, 'h\u00e9')
      expect(await client.next()).toBe('h\u00e9')
      if (form.endsWith('callback)')) expect(args?.[0]).toBeFalsy()
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

    it('in the callback of another send is traced', async () => {
      const { client, socket } = await fixture.open()
      socket.send('a', () => socket.send('b'))
      expect([await client.next(), await client.next()]).toEqual(['a', 'b'])
      await fixture.telemetry.waitForSpan(name, 2)
    })

    it('to many in a loop calls every callback once', async () => {
      const sockets: WebSocket[] = []
      const host = await fixture.serve({ connection: (socket) => void sockets.push(socket) })
      const clients = [await fixture.connect(host), await fixture.connect(host), await fixture.connect(host)]
      await fixture.telemetry.waitForSpan(`open ${route}`, 3)
      const called: number[] = []
      await new Promise<void>((resolve) => {
        for (const [index, socket] of sockets.entries()) {
          socket.send('news', () => {
            if (called.push(index) === sockets.length) resolve()
          })
        }
      })
      await Promise.all(clients.map((client) => client.next()))
      expect(called.sort()).toEqual([0, 1, 2])
      await fixture.telemetry.waitForSpan(`broadcast ${route}`)
    })

    it.each([
      ['closing', 2, 'CLOSING'],
      ['closed', 3, 'CLOSED'],
    ])('to a socket that is %s calls back with the error of ws, and is counted', async (_what, readyState, state) => {
      const { client, socket } = await fixture.open()
      if (state === 'CLOSING') socket.close(1000)
      else {
        await client.close(1000)
        await fixture.telemetry.waitForSpan(`close ${route}`)
      }
      const error = await new Promise<Error | undefined>((resolve) => socket.send('late', resolve))
      expect(error?.message).toBe(`WebSocket is not open: readyState ${readyState} (${state})`)
      await client.closed
      const rows = await fixture.telemetry.collect('websocket.server.send.undelivered')
      expect(rows.map(({ attributes, value }) => ({ attributes, value }))).toEqual([
        { attributes: { 'websocket.route': route, 'websocket.send.undelivered.reason': 'not_open' }, value: 1 },
      ])
    })

    it('that fails ends its span with the error', async () => {
      const { client, socket } = await fixture.open()
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
      // Whether the write that was under way has failed differs between versions of Node.
      expect(errors[1]).toBeInstanceOf(Error)
      await fixture.telemetry.waitForSpan(name, 2)
      const spans = fixture.telemetry
        .spans(name)
        .sort(
          (a, b) =>
            Number(a.attributes['websocket.message.sequence']) - Number(b.attributes['websocket.message.sequence']),
        )
      expect(spans.map((span) => span.attributes['error.type'])).toEqual(errors.map((error) => error?.code))
      expect(spans.map((span) => span.status.code)).toEqual(
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
      const { socket } = await fixture.open()
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
  })
}
