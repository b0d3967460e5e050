import { context, SpanStatusCode, trace } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import type { Fixture } from '../fixture.ts'
import type { Harness } from '../harness.ts'
import { withProcessErrors } from '../process-errors.ts'
import { milliseconds } from '../telemetry.ts'

export function connectionTests(harness: Harness, fixture: Fixture): void {
  const { route } = harness
  const process = `process ${route}`

  describe('connectionOf', () => {
    it('gives one record per socket, and none for what is not ours', async () => {
      const host = await fixture.serve({ telemetry: {}, connection() {} })
      await fixture.connect(host)
      const other = await fixture.connect(host)
      await fixture.telemetry.waitForSpan(`open ${route}`, 2)
      const records = [...host.wss.clients].map((socket) => host.connectionOf(socket))
      expect(new Set(records).size).toBe(2)
      expect(new Set(records.map((record) => record?.id)).size).toBe(2)
      expect(host.connectionOf(other.socket)).toBeUndefined()
    })

    it('sets attributes on every later span of the connection', async () => {
      const { client } = await fixture.open({
        telemetry: {},
        connection(socket, record) {
          socket.on('message', (data) => {
            if (data.toString() === 'login') record.setAttribute('user.id', 'u1')
            if (data.toString() === 'team') record.setAttributes({ 'team.id': 7, 'team.admin': true })
            socket.send('ok')
          })
        },
      })
      client.send('login')
      await client.next()
      client.send('team')
      await client.next()
      client.send('x')
      await client.next()
      await client.close(1000)
      const close = await fixture.telemetry.waitForSpan(`close ${route}`)
      const users = fixture.telemetry
        .spans(process)
        .map((span) => [span.attributes['user.id'], span.attributes['team.id']])
      expect(users).toEqual([
        [undefined, undefined],
        ['u1', undefined],
        ['u1', 7],
      ])
      expect(close.attributes).toMatchObject({ 'user.id': 'u1', 'team.id': 7, 'team.admin': true })
      const sends = fixture.telemetry.spans(`send ${route}`).map((span) => span.attributes['user.id'])
      expect(sends).toEqual(['u1', 'u1', 'u1'])
      for (const row of await fixture.telemetry.collect()) expect(row.attributes).not.toHaveProperty('user.id')
    })
    it('runs work of the connection outside of whatever span is active', async () => {
      const { client, socket, connection } = await fixture.open({ telemetry: {} })
      const result = trace.getTracer('app').startActiveSpan('job', (span) => {
        const value = connection.run(() => {
          expect(trace.getActiveSpan()).toBeUndefined()
          socket.send('tick')
          return 42
        })
        expect(trace.getActiveSpan()).toBe(span)
        span.end()
        return value
      })
      expect(result).toBe(42)
      await client.next()
      const send = await fixture.telemetry.waitForSpan(`send ${route}`)
      expect(send.parentSpanContext).toBeUndefined()
      expect(send.links.map((link) => link.attributes)).toEqual([{ 'websocket.link.kind': 'handshake' }])
    })

    it('runs work under the connection span, where there is one', async () => {
      const { client, socket, connection } = await fixture.open({ telemetry: { traces: 'connection' } })
      connection.run(() => socket.send('tick'))
      await client.next()
      const send = await fixture.telemetry.waitForSpan(`send ${route}`)
      await client.close(1000)
      const span = await fixture.telemetry.waitForSpan(`connection ${route}`)
      expect(send.parentSpanContext?.spanId).toBe(span.spanContext().spanId)
    })

    it('lets errors of that work pass', async () => {
      const { connection } = await fixture.open({ telemetry: {} })
      const error = new Error('job failed')
      expect(() =>
        connection.run(() => {
          throw error
        }),
      ).toThrow(error)
    })

    it('gives the trace context: of the handshake, or of what is active', async () => {
      const { connection } = await fixture.open({ telemetry: {} })
      const handshake = (await fixture.telemetry.waitForSpan(`GET ${route}`)).spanContext()
      expect(connection.traceContext()).toEqual({ traceparent: `00-${handshake.traceId}-${handshake.spanId}-01` })
      const span = trace.getTracer('app').startSpan('job')
      const carrier = context.with(trace.setSpan(context.active(), span), () => connection.traceContext())
      span.end()
      expect(carrier).toEqual({ traceparent: `00-${span.spanContext().traceId}-${span.spanContext().spanId}-01` })
    })
  })

  describe('stream', () => {
    it('measures a streamed answer on the process span and in the metrics', async () => {
      const { client } = await fixture.open({
        telemetry: {},
        connection(socket, record) {
          socket.on('message', async () => {
            const stream = record.stream()
            for (const token of ['a', 'b', 'c']) {
              await new Promise((resolve) => setTimeout(resolve, 20))
              socket.send(token)
              stream.item()
            }
            stream.item(2)
            stream.end()
          })
        },
      })
      client.send('ask')
      const span = await fixture.telemetry.waitForSpan(process)
      const first = span.attributes['websocket.stream.time_to_first_item'] as number
      const last = span.attributes['websocket.stream.time_to_last_item'] as number
      expect(span.attributes['websocket.stream.items']).toBe(5)
      expect(span.attributes['websocket.stream.outcome']).toBe('completed')
      expect(first).toBeGreaterThanOrEqual(0.018)
      expect(last).toBeGreaterThanOrEqual(0.056)
      expect(last * 1e3).toBeLessThanOrEqual(milliseconds(span))
      expect(span.attributes['websocket.stream.item_interval']).toBeCloseTo((last - first) / 4, 6)
      const [firstItem] = await fixture.telemetry.collect('websocket.server.stream.first_item.duration')
      const [whole] = await fixture.telemetry.collect('websocket.server.stream.duration')
      expect(firstItem).toMatchObject({ unit: 's', count: 1, attributes: { 'websocket.route': route } })
      expect(firstItem?.sum).toBeCloseTo(first, 6)
      expect(whole).toMatchObject({ unit: 's', count: 1, attributes: { 'websocket.route': route } })
    })

    it('that outlives its handler keeps the process span open', async () => {
      let finish: () => void = () => {}
      const { client } = await fixture.open({
        telemetry: {},
        connection(socket, record) {
          socket.on('message', () => {
            const stream = record.stream()
            finish = () => {
              stream.item()
              stream.end()
            }
            socket.send('started')
          })
        },
      })
      client.send('ask')
      await client.next()
      await fixture.telemetry.waitForSpan(`send ${route}`)
      expect(fixture.telemetry.spans(process)).toEqual([])
      finish()
      expect((await fixture.telemetry.waitForSpan(process)).attributes['websocket.stream.items']).toBe(1)
    })

    it.each(['end with an error', 'disconnect'])('tells how it failed: %s', async (how) => {
      const { client } = await fixture.open({
        telemetry: {},
        connection(socket, record) {
          socket.on('message', () => {
            const stream = record.stream()
            stream.item()
            if (how === 'disconnect') return
            stream.end(new RangeError('model failed'))
            stream.end()
            stream.item()
          })
        },
      })
      client.send('ask')
      if (how === 'disconnect') await client.close(1000)
      const span = await fixture.telemetry.waitForSpan(process)
      const type = how === 'disconnect' ? 'disconnected' : 'RangeError'
      expect(span.attributes['error.type']).toBe(type)
      expect(span.attributes['websocket.stream.items']).toBe(1)
      expect(span.attributes['websocket.stream.outcome']).toBe(how === 'disconnect' ? 'disconnected' : 'failed')
      const rows = await fixture.telemetry.collect('websocket.server.stream.duration')
      expect(rows.map((row) => [row.attributes['error.type'], row.count])).toEqual([[type, 1]])
    })

    it('that nobody wants any longer is told as cancelled, which is no error', async () => {
      const { client } = await fixture.open({
        telemetry: {},
        connection(socket, record) {
          socket.on('message', () => {
            const stream = record.stream()
            stream.item()
            stream.cancel()
            stream.end(new Error('too late'))
          })
        },
      })
      client.send('ask')
      const span = await fixture.telemetry.waitForSpan(process)
      expect(span.attributes).toMatchObject({ 'websocket.stream.items': 1, 'websocket.stream.outcome': 'cancelled' })
      expect(span.status.code).toBe(SpanStatusCode.UNSET)
      const [duration] = await fixture.telemetry.collect('websocket.server.stream.duration')
      expect(duration?.attributes['websocket.stream.outcome']).toBe('cancelled')
    })

    it('without an end outlives its span, with the figures so far, and is counted', async () => {
      let forget: () => void = () => {}
      const { client } = await fixture.open({
        telemetry: { maxConnectionSpanAge: 50 },
        connection(socket, record) {
          socket.on('message', () => {
            const stream = record.stream()
            stream.item(3)
            forget = () => stream.cancel()
          })
        },
      })
      const active = async () =>
        (await fixture.telemetry.collect('websocket.server.stream.active')).map((row) => row.value)
      client.send('subscribe')
      const span = await fixture.telemetry.waitForSpan(process)
      expect(span.attributes).toMatchObject({ 'websocket.span.ended_by': 'age', 'websocket.stream.items': 3 })
      expect(span.attributes['websocket.stream.outcome']).toBeUndefined()
      expect(await active()).toEqual([1])
      forget()
      expect(await active()).toEqual([0])
    })

    it('outside of a handler is told by the metrics only', async () => {
      await withProcessErrors(async () => {
        const { connection } = await fixture.open({ telemetry: {} })
        const stream = connection.stream()
        stream.item()
        stream.end()
        const [whole] = await fixture.telemetry.collect('websocket.server.stream.duration')
        expect(whole?.count).toBe(1)
      })
    })
  })
}
