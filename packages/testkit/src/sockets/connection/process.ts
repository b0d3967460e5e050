import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { DELAY, delay, SLACK } from '../../shared/durations.ts'
import { encodeFrame, OPCODE } from '../../testing/frames.ts'
import { withProcessErrors } from '../../testing/process-errors.ts'
import { linkTo, milliseconds } from '../../testing/spans.ts'
import { echo, type Fixture, listen } from '../fixture.ts'
import type { Harness } from '../harness.ts'

export function processTests(harness: Harness, fixture: Fixture): void {
  const { route } = harness
  const name = `process ${route}`

  describe('process', () => {
    it('is an INTERNAL root with one link to the handshake and few attributes', async () => {
      const { client, connection } = await fixture.open({ connection: listen })
      client.send('h\u00e9llo')
      const span = await fixture.telemetry.waitForSpan(name)
      const handshake = fixture.telemetry.span(`GET ${route}`)
      expect(span.kind).toBe(SpanKind.INTERNAL)
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

    it('has the size of a binary message', async () => {
      const { client } = await fixture.open({ connection: listen })
      client.send(Buffer.alloc(300, 1))
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.attributes['websocket.message.type']).toBe('binary')
      expect(span.attributes['websocket.message.size']).toBe(300)
    })

    it('is one for a message in fragments and one for an empty message, in sequence', async () => {
      const host = await fixture.serve({ connection: listen })
      const client = await fixture.rawConnect(host)
      client.write(
        encodeFrame(OPCODE.text, 'he', { fin: false }),
        encodeFrame(OPCODE.ping, 'between'),
        encodeFrame(OPCODE.continuation, 'llo'),
        encodeFrame(OPCODE.text, ''),
      )
      await fixture.telemetry.waitForSpan(name, 2)
      const messages = fixture.telemetry
        .spans(name)
        .map((span) => [span.attributes['websocket.message.sequence'], span.attributes['websocket.message.size']])
      expect(messages).toEqual([
        [1, 5],
        [2, 0],
      ])
    })

    it('covers an async handler until it settles, and is active in all of it', async () => {
      const active: (string | undefined)[] = []
      const note = (): number => active.push(trace.getActiveSpan()?.spanContext().spanId)
      const { client } = await fixture.open({
        connection(socket) {
          socket.onMessage(async () => {
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

    it('of overlapping async handlers keeps each its own', async () => {
      const releases: (() => void)[] = []
      const inside: (string | undefined)[] = []
      const { client } = await fixture.open({
        connection(socket) {
          socket.onMessage(async (data) => {
            const released = new Promise<void>((resolve) => releases.push(resolve))
            if (releases.length === 3) socket.send('all here')
            await released
            inside.push(`${data}:${trace.getActiveSpan()?.spanContext().spanId}`)
            socket.send('released')
          })
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

    it('is made of a message that comes in the same chunk as the upgrade', async () => {
      const host = await fixture.serve({ connection: echo })
      const client = await fixture.rawConnect(host, { head: encodeFrame(OPCODE.text, 'early') })
      expect((await client.nextFrame()).payload.toString()).toBe('early')
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.attributes['websocket.message.sequence']).toBe(1)
    })

    it('is not made of pings and pongs that the client sends', async () => {
      const host = await fixture.serve({ connection: listen })
      const client = await fixture.rawConnect(host)
      client.write(encodeFrame(OPCODE.pong, 'unasked'), encodeFrame(OPCODE.ping, 'p'))
      expect((await client.nextFrame()).opcode).toBe(OPCODE.pong)
      await fixture.settle()
      expect(fixture.telemetry.names()).toEqual([`GET ${route}`, `close ${route}`, `open ${route}`])
    })

    it('is made without any handler too', async () => {
      const { client } = await fixture.open()
      client.send('x')
      await fixture.telemetry.waitForSpan(name)
    })

    it('of a handler that never settles ends with the telemetry', async () => {
      const { host, client } = await fixture.open({
        connection(socket) {
          socket.onMessage(async () => {
            socket.send('started')
            await new Promise(() => {})
          })
        },
      })
      client.send('x')
      await client.next()
      expect(fixture.telemetry.spans(name)).toEqual([])
      await host.shutdown()
      const span = fixture.telemetry.span(name)
      const endedBy = harness.capabilities.shutdownAlone ? 'shutdown' : 'disconnect'
      expect(span.attributes['websocket.span.ended_by']).toBe(endedBy)
    })

    it('of a handler that outlives its connection ends with the connection, in spans and metrics', async () => {
      const { telemetry } = fixture
      let settle: () => void = () => {}
      const { client } = await fixture.open({
        connection(socket) {
          socket.onMessage(async () => {
            socket.send('started')
            await new Promise<void>((resolve) => {
              settle = resolve
            })
          })
        },
      })
      client.send('x')
      await client.next()
      await client.close(1000)
      await telemetry.waitForSpan(`close ${route}`)
      const span = telemetry.span(name)
      expect(span.attributes['websocket.span.ended_by']).toBe('disconnect')
      expect(span.status).toEqual({ code: SpanStatusCode.UNSET })
      const seen = async () => ({
        active: (await telemetry.collect('websocket.server.message.process.active')).map(({ value }) => value),
        durations: (await telemetry.collect('websocket.server.message.process.duration')).map(
          ({ count, attributes }) => [count, attributes],
        ),
        failures: await telemetry.collect('websocket.server.message.process.late_failures'),
        spans: telemetry.spans(name).length,
      })
      const atTheClose = await seen()
      const place = { 'websocket.route': route, 'websocket.span.ended_by': 'disconnect' }
      expect(atTheClose).toEqual({ active: [0], durations: [[1, place]], failures: [], spans: 1 })
      settle()
      await fixture.settle()
      expect(await seen()).toEqual(atTheClose)
    })

    it('of a handler that fails after its connection has closed is counted by its error', async () => {
      const { telemetry } = fixture
      await withProcessErrors(async (errors) => {
        let fail: (error: Error) => void = () => {}
        const { client } = await fixture.open({
          connection(socket) {
            socket.onMessage(async () => {
              socket.send('started')
              await new Promise((_, reject) => {
                fail = reject
              })
            })
          },
        })
        client.send('x')
        await client.next()
        await client.close(1000)
        await telemetry.waitForSpan(`close ${route}`)
        const late = new RangeError('late')
        fail(late)
        expect(await errors.next()).toEqual({ event: 'unhandledRejection', error: late })
        expect(await telemetry.collect('websocket.server.message.process.late_failures')).toMatchObject([
          { type: 'counter', value: 1, attributes: { 'websocket.route': route, 'error.type': 'RangeError' } },
        ])
        expect(await telemetry.collect('websocket.server.message.process.duration')).toMatchObject([{ count: 1 }])
        expect(telemetry.span(name).status).toEqual({ code: SpanStatusCode.UNSET })
      })
    })

    it('of a handler that closes its own connection is not cut', async () => {
      const { client } = await fixture.open({
        connection(socket) {
          socket.onMessage(() => void socket.terminate())
        },
      })
      client.send('x')
      await fixture.telemetry.waitForSpan(`close ${route}`)
      expect(fixture.telemetry.span(name).attributes).not.toHaveProperty('websocket.span.ended_by')
    })

    it('is not active for the close of its connection', async () => {
      const active: (string | undefined)[] = []
      const { client } = await fixture.open({
        connection(socket) {
          listen(socket)
          socket.onClose(() => active.push(trace.getActiveSpan()?.spanContext().spanId))
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
