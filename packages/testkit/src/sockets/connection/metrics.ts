import { metrics, trace } from '@opentelemetry/api'
import { AlwaysOffSampler } from '@opentelemetry/sdk-trace'
import type { MetricRow } from '@otel-ws/testing'
import { describe, expect, it } from 'vitest'
import { DELAY, delay, SLACK } from '../../shared/durations.ts'
import { OPCODE } from '../../testing/frames.ts'
import { echo, type Fixture, listen } from '../fixture.ts'
import type { Harness, HostSocket } from '../harness.ts'

const LIFETIME = [1, 5, 15, 30, 60, 300, 900, 1800, 3600, 14400, 43200, 86400]
const LATENCY = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export function metricTests(harness: Harness, fixture: Fixture): void {
  const { route } = harness
  const base = { 'websocket.route': route }

  /** Sums and counts, which are exact, without durations. */
  const exact = (rows: MetricRow[]): unknown[] =>
    rows.map(({ name, unit, type, attributes, value, count }) => ({
      name,
      unit,
      type,
      attributes,
      exactly: value ?? count,
    }))

  const row = (name: string, type: string, unit: string, exactly: number, attributes = {}): unknown => ({
    name: `websocket.server.${name}`,
    type,
    unit,
    exactly,
    attributes: { ...base, ...attributes },
  })

  describe('metrics', () => {
    it.each(['sampled', 'not sampled'])('count messages by name, where they have one: %s', async (sampling) => {
      const { telemetry } = fixture
      if (sampling === 'not sampled') telemetry.sampler = new AlwaysOffSampler()
      const sockets: HostSocket[] = []
      const host = await fixture.serve({
        telemetry: { messageName: '$.type' },
        connection(socket) {
          sockets.push(socket)
          socket.onMessage((data) => {
            if (data === '{"type":"all"}') for (const each of sockets) each.send('{"type":"news"}')
            else socket.send(data === 'x' ? 'y' : '{"type":"answer"}')
          })
        },
      })
      const clients = [await fixture.connect(host), await fixture.connect(host)]
      const [client] = clients
      for (const text of ['{"type":"ask"}', '{"type":"ask"}', 'x']) {
        client?.send(text)
        await client?.next()
      }
      client?.send('{"type":"all"}')
      for (const each of clients) await each.next()
      await fixture.settle()
      const rows = (await telemetry.collect('websocket.server.messages')).map(({ value, attributes }) => [
        attributes['websocket.message.direction'],
        attributes['websocket.message.name'] ?? attributes['websocket.message.type'],
        attributes['websocket.message.delivery'],
        value,
      ])
      expect(rows.sort()).toEqual([
        ['receive', 'all', undefined, 1],
        ['receive', 'ask', undefined, 2],
        ['receive', 'text', undefined, 1],
        ['send', 'answer', 'personal', 2],
        ['send', 'news', 'broadcast', 2],
        ['send', 'text', undefined, 1],
      ])
    })

    it.each(['sampled', 'not sampled'])('are exact when messages are %s', async (sampling) => {
      const { telemetry } = fixture
      if (sampling === 'not sampled') telemetry.sampler = new AlwaysOffSampler()
      let release: () => void = () => {}
      const { client, socket, host } = await fixture.open({
        connection(socket) {
          socket.onMessage(async (data) => {
            if (data !== 'wait') {
              socket.send(data)
              return
            }
            socket.send('waiting')
            await new Promise<void>((resolve) => {
              release = resolve
            })
          })
        },
      })
      client.send('abc')
      await client.next()
      client.send(Buffer.alloc(100))
      await client.next()
      client.send('wait')
      await client.next()

      const during = exact(await telemetry.collect())
      expect(during).toContainEqual(row('connection.active', 'updown', '{connection}', 1))
      expect(during).toContainEqual(row('message.process.active', 'updown', '{message}', 1))
      expect(during).toContainEqual(row('message.process.duration', 'histogram', 's', 2))

      const settled = new Promise((resolve) => socket.onClose(resolve))
      release()
      await client.close(1000)
      await settled
      await host.close()

      const after = exact(await telemetry.collect())
      const receive = { 'websocket.message.direction': 'receive' }
      const send = { 'websocket.message.direction': 'send' }
      const text = { 'websocket.message.type': 'text' }
      const binary = { 'websocket.message.type': 'binary' }
      expect(after).toHaveLength(16)
      expect(after).toEqual(
        expect.arrayContaining([
          row('connection.active', 'updown', '{connection}', 0),
          row('connection.duration', 'histogram', 's', 1, {
            'websocket.close.code': 1000,
            'websocket.close.category': 'normal',
            'websocket.close.initiator': 'remote',
          }),
          row('handshake.duration', 'histogram', 's', 1, {
            'websocket.handshake.outcome': 'accepted',
            'http.response.status_code': 101,
          }),
          row('open.duration', 'histogram', 's', 1),
          row('message.process.duration', 'histogram', 's', 3),
          row('message.process.active', 'updown', '{message}', 0),
          row('stream.active', 'updown', '{stream}', 0),
          row('messages', 'counter', '{message}', 2, { ...receive, ...text }),
          row('messages', 'counter', '{message}', 1, { ...receive, ...binary }),
          row('messages', 'counter', '{message}', 2, { ...send, ...text }),
          row('messages', 'counter', '{message}', 1, { ...send, ...binary }),
          row('io', 'counter', 'By', 107, receive),
          row('io', 'counter', 'By', 110, send),
          row('send.buffered', 'gauge', 'By', 0),
          row('connection.slow', 'gauge', '{connection}', 0),
          row('ping.missed', 'counter', '{ping}', 0),
        ]),
      )
      // Not every host has listeners of the close, which get a span.
      const others = telemetry.names().filter((each) => !each.startsWith('disconnect'))
      expect(others).toHaveLength(sampling === 'sampled' ? 9 : 0)
    })

    it('have buckets that suit what they measure', async () => {
      const { client } = await fixture.open({
        connection: listen,
      })
      client.send('x')
      await fixture.telemetry.waitForSpan(`process ${route}`)
      await client.close(1000)
      await fixture.telemetry.waitForSpan(`close ${route}`)
      const boundaries = new Map((await fixture.telemetry.collect()).map((each) => [each.name, each.boundaries]))
      expect(boundaries.get('websocket.server.connection.duration')).toEqual(LIFETIME)
      expect(boundaries.get('websocket.server.handshake.duration')).toEqual(LATENCY)
      expect(boundaries.get('websocket.server.message.process.duration')).toEqual(LATENCY)
    })

    it('have the true duration of a handler', async () => {
      const { client } = await fixture.open({
        connection(socket) {
          socket.onMessage(async () => delay())
        },
      })
      client.send('x')
      await fixture.telemetry.waitForSpan(`process ${route}`)
      const [duration] = await fixture.telemetry.collect('websocket.server.message.process.duration')
      expect(duration?.sum).toBeGreaterThanOrEqual((DELAY - SLACK) / 1e3)
    })

    it('have the sizes of messages with option messageSizeMetric', async () => {
      const { client } = await fixture.open({
        telemetry: { messageSizeMetric: true },
        connection(socket) {
          socket.onMessage((data) => socket.send(`${data}${data}`))
        },
      })
      client.send('abc')
      await client.next()
      const rows = await fixture.telemetry.collect('websocket.server.message.size')
      const sizes = rows.map((each) => [
        each.unit,
        each.attributes['websocket.message.direction'],
        each.count,
        each.sum,
      ])
      expect(sizes.sort()).toEqual([
        ['By', 'receive', 1, 3],
        ['By', 'send', 1, 6],
      ])
    })

    it('have the bytes that wait for a peer that does not read', async () => {
      const host = await fixture.serve({
        telemetry: { slowConsumerBytes: 1000 },
        connection(socket) {
          socket.onMessage(() => {
            socket.send(Buffer.alloc(64 * 1024 * 1024))
            socket.ping?.()
          })
        },
      })
      const client = await fixture.rawConnect(host)
      client.socket.pause()
      client.send(OPCODE.text, 'go')
      await fixture.telemetry.waitForSpan(`process ${route}`)
      const [buffered] = await fixture.telemetry.collect('websocket.server.send.buffered')
      const [slow] = await fixture.telemetry.collect('websocket.server.connection.slow')
      expect(buffered?.value).toBeGreaterThan(1000)
      expect(slow).toMatchObject({ value: 1, attributes: base })
      client.reset()
      await fixture.telemetry.waitForSpan(`close ${route}`)
      const [afterwards] = await fixture.telemetry.collect('websocket.server.send.buffered')
      expect(afterwards?.value).toBe(0)
    })

    it('go to the providers in the options, as spans do', async () => {
      const { telemetry } = fixture
      trace.disable()
      metrics.disable()
      const { client } = await fixture.open({
        telemetry: { tracerProvider: telemetry.tracerProvider, meterProvider: telemetry.meterProvider },
      })
      await client.close(1000)
      await telemetry.waitForSpan(`close ${route}`)
      const [active] = await telemetry.collect('websocket.server.connection.active')
      expect(active?.value).toBe(0)
    })

    it('count messages that are not traced', async () => {
      const { client } = await fixture.open({
        telemetry: { messages: false },
        connection: echo,
      })
      client.send('x')
      await client.next()
      await fixture.settle()
      expect(fixture.telemetry.names()).toEqual([`GET ${route}`, `close ${route}`, `open ${route}`])
      const rows = await fixture.telemetry.collect('websocket.server.messages')
      expect(rows.map((each) => each.value)).toEqual([1, 1])
    })
  })
}
