import { context, trace } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { DELAY, delay, SLACK } from '../../shared/durations.ts'
import { milliseconds } from '../../testing/spans.ts'
import type { Fixture } from '../fixture.ts'
import type { Harness, HostSocket } from '../harness.ts'

export function connectionContextTests(harness: Harness, fixture: Fixture): void {
  const { route } = harness
  const process = `process ${route}`

  describe('connection context', () => {
    it('returns one context per connection, always the same, and none for other objects', async () => {
      const sockets: HostSocket[] = []
      const host = await fixture.serve({ connection: (socket) => void sockets.push(socket) })
      await fixture.connect(host)
      const other = await fixture.connect(host)
      await fixture.telemetry.waitForSpan(`open ${route}`, 2)
      const connections = sockets.map(({ raw }) => host.connectionOf(raw))
      expect(new Set(connections.map((connection) => connection?.id)).size).toBe(2)
      for (const [index, { raw }] of sockets.entries()) expect(host.connectionOf(raw)).toBe(connections[index])
      expect(host.connectionOf(other.socket)).toBeUndefined()
    })

    it('keeps the span of a handler open that returns before it is done, and records its failure', async () => {
      const { client, socket } = await fixture.open({
        connection(socket, connection) {
          socket.onMessage(() => {
            connection.waitUntil(
              delay().then(() => {
                throw new RangeError('later')
              }),
            )
            socket.send('returned')
          })
          connection.waitUntil(delay())
        },
      })
      client.send('x')
      expect(await client.next()).toBe('returned')
      const [span, open] = [
        await fixture.telemetry.waitForSpan(process),
        await fixture.telemetry.waitForSpan(`open ${route}`),
      ]
      expect(milliseconds(span)).toBeGreaterThanOrEqual(DELAY - SLACK)
      expect(span.attributes['error.type']).toBe('RangeError')
      expect(milliseconds(open)).toBeGreaterThanOrEqual(DELAY - SLACK)
      // Outside of any handler it only handles the rejection.
      const connection = (await fixture.open()).connection
      connection.waitUntil(Promise.reject(new Error('nobody waits for it')))
      socket.close(1000)
    })

    it('sets attributes on every later span of the connection', async () => {
      const { client } = await fixture.open({
        connection(socket, connection) {
          socket.onMessage((data) => {
            if (data === 'login') connection.setAttribute('user.id', 'u1')
            if (data === 'team') connection.setAttributes({ 'team.id': 7, 'team.admin': true })
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

    it('has the attributes of option connectionAttributes from the start, and those that are named on metrics', async () => {
      // Headers of Node, or of the Web.
      const header = (headers: object, name: string) =>
        headers instanceof Headers ? (headers.get(name) ?? undefined) : (headers as Record<string, string>)[name]
      const attributesOf = ({ headers }: { headers: object }) => ({
        'app.user': header(headers, 'x-user'),
        'app.plan': header(headers, 'x-plan'),
      })
      const host = await fixture.serve({
        telemetry: { connectionAttributes: attributesOf, metricAttributes: ['app.plan'] },
        connection: (socket) => socket.onMessage((data) => socket.send(data)),
      })
      const client = await fixture.connect(host, { headers: { 'x-user': 'u1', 'x-plan': 'free' } })
      client.send('x')
      await client.next()
      await client.close(1000)
      const names = ['GET', 'open', 'process', 'send', 'close'].map((operation) => `${operation} ${route}`)
      for (const name of names) {
        const { attributes } = await fixture.telemetry.waitForSpan(name)
        expect([name, attributes['app.user'], attributes['app.plan']]).toEqual([name, 'u1', 'free'])
      }
      const rows = await fixture.telemetry.collect()
      expect(rows.length).toBeGreaterThan(5)
      for (const { name, attributes } of rows) {
        expect([name, attributes['app.user'], attributes['app.plan']]).toEqual([name, undefined, 'free'])
      }
    })

    it('is there where option connectionAttributes throws, which is reported once', async () => {
      const connectionAttributes = () => {
        throw new Error('no')
      }
      const { client } = await fixture.open({
        telemetry: { connectionAttributes },
        connection: (socket) => socket.onMessage((data) => socket.send(data)),
      })
      client.send('x')
      expect(await client.next()).toBe('x')
      await fixture.telemetry.waitForSpan(process)
      expect(fixture.telemetry.diagnostics.splice(0)).toEqual([expect.stringContaining('option connectionAttributes')])
    })

    it('runs work of the connection outside of the span that is active', async () => {
      const { client, socket, connection } = await fixture.open()
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

    it("runs work under the connection span, with traces: 'connection'", async () => {
      const { client, socket, connection } = await fixture.open({ telemetry: { traces: 'connection' } })
      connection.run(() => socket.send('tick'))
      await client.next()
      const send = await fixture.telemetry.waitForSpan(`send ${route}`)
      await client.close(1000)
      const span = await fixture.telemetry.waitForSpan(`connection ${route}`)
      expect(send.parentSpanContext?.spanId).toBe(span.spanContext().spanId)
    })

    it('lets errors of that work through', async () => {
      const { connection } = await fixture.open()
      const error = new Error('job failed')
      expect(() =>
        connection.run(() => {
          throw error
        }),
      ).toThrow(error)
    })

    it('gives the trace context of the handshake, or of the span that is active', async () => {
      const { connection } = await fixture.open()
      const handshake = (await fixture.telemetry.waitForSpan(`GET ${route}`)).spanContext()
      expect(connection.traceContext()).toEqual({ traceparent: `00-${handshake.traceId}-${handshake.spanId}-01` })
      const span = trace.getTracer('app').startSpan('job')
      const carrier = context.with(trace.setSpan(context.active(), span), () => connection.traceContext())
      span.end()
      expect(carrier).toEqual({ traceparent: `00-${span.spanContext().traceId}-${span.spanContext().spanId}-01` })
    })
  })
}
