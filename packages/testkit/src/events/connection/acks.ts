import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { DELAY, delay, SLACK } from '../../shared/durations.ts'
import { milliseconds } from '../../testing/spans.ts'
import { placeOf } from '../expectations.ts'
import type { EventFixture } from '../fixture.ts'
import type { EventHarness } from '../harness.ts'

export function ackTests(harness: EventHarness, fixture: EventFixture): void {
  const { names } = harness

  describe('acknowledgements', () => {
    it('make the process span a SERVER span that lasts until they are sent', async () => {
      const { client } = await fixture.open({
        events: {
          async sum(_, data) {
            await delay()
            const [a, b] = data as [number, number]
            return a + b
          },
        },
      })
      expect(await client.request('sum', [1, 2])).toBe(3)
      const span = await fixture.telemetry.waitForSpan('process sum')
      expect(span.kind).toBe(SpanKind.SERVER)
      expect(span.attributes).toMatchObject({
        'websocket.ack.outcome': 'ok',
        'websocket.message.size': harness.size('client', 'sum', [1, 2], 0),
      })
      expect(milliseconds(span)).toBeGreaterThanOrEqual(DELAY - SLACK)
      await client.leave()
      const close = await fixture.telemetry.waitForSpan(`close ${names.route}`)
      // An acknowledgement is part of its message, not another one.
      expect(close.attributes['websocket.connection.messages.sent']).toBe(0)
    })

    it('that never come end with the connection', async () => {
      const { client } = await fixture.open({ events: { hang: async () => new Promise(() => {}) } })
      client.request('hang').catch(() => {})
      await fixture.telemetry.waitUntilStarted('process hang')
      client.abort()
      await fixture.telemetry.waitForSpan(`close ${names.route}`)
      await fixture.settle()
      expect(fixture.telemetry.span('process hang').attributes).toMatchObject({
        'websocket.ack.outcome': 'disconnected',
        'websocket.span.ended_by': 'disconnect',
      })
    })

    it('have a duration of their own, which is not that of the handlers', async () => {
      const { telemetry } = fixture
      const { client } = await fixture.open({ events: { sum: () => 3, hang: async () => new Promise(() => {}) } })
      expect(await client.request('sum')).toBe(3)
      client.request('hang').catch(() => {})
      await telemetry.waitUntilStarted('process hang')
      client.abort()
      await telemetry.waitForSpan(`close ${names.route}`)
      await fixture.settle()
      const active = await telemetry.collect('websocket.server.message.process.active')
      expect(active.map(({ value }) => value)).not.toContain(1)
      const place = placeOf(harness)
      const [sum, hang] = ['sum', 'hang'].map((event) => ({ ...place, 'websocket.message.name': event }))
      expect(await telemetry.collect('websocket.server.message.ack.duration')).toMatchObject([
        { unit: 's', count: 1, attributes: { ...sum, 'websocket.ack.outcome': 'ok' } },
        { unit: 's', count: 1, attributes: { ...hang, 'websocket.ack.outcome': 'disconnected' } },
      ])
      expect(
        (await telemetry.collect('websocket.server.message.process.duration')).map(({ count, attributes }) => [
          count,
          attributes,
        ]),
      ).toEqual([
        [1, sum],
        [1, { ...hang, 'websocket.span.ended_by': 'disconnect' }],
      ])
    })

    it('that the server waits for make the send span end with them', async () => {
      let after: string | undefined
      const { client } = await fixture.open({
        events: {
          async ask(from, data) {
            const answer = await from.ask('question', data, 10_000)
            after = trace.getActiveSpan()?.spanContext().spanId
            from.emit('answered', answer)
          },
        },
      })
      client.answer('question', async (data) => {
        await delay()
        return `${data}!`
      })
      client.emit('ask', 'well')
      expect(await client.next()).toEqual({ name: 'answered', data: 'well!' })
      const process = await fixture.telemetry.waitForSpan('process ask')
      const span = await fixture.telemetry.waitForSpan('send question')
      expect(span.kind).toBe(SpanKind.INTERNAL)
      expect(span.parentSpanContext?.spanId).toBe(process.spanContext().spanId)
      expect(span.attributes).toMatchObject({ 'websocket.ack.outcome': 'ok', 'websocket.message.sequence': 1 })
      expect(milliseconds(span)).toBeGreaterThanOrEqual(DELAY - SLACK)
      expect(after).toBe(process.spanContext().spanId)
    })

    it('that are late are a timeout, and counted', async () => {
      const { client, socket } = await fixture.open()
      client.answer('question', () => new Promise(() => {}))
      await expect(socket.ask('question', 1, 20)).rejects.toThrow()
      const span = await fixture.telemetry.waitForSpan('send question')
      expect(span.attributes['websocket.ack.outcome']).toBe('timeout')
      expect(span.status.code).toBe(SpanStatusCode.UNSET)
      expect(milliseconds(span)).toBeGreaterThanOrEqual(20 - SLACK)
      expect(await fixture.telemetry.collect('websocket.server.send.undelivered')).toMatchObject([
        { value: 1, attributes: { ...placeOf(harness), 'websocket.send.undelivered.reason': 'ack_timeout' } },
      ])
    })

    it('that are waited for when the connection ends are disconnected', async () => {
      const { client, socket } = await fixture.open()
      client.answer('question', () => new Promise(() => {}))
      socket.ask('question').catch(() => {})
      socket.emit('after')
      await client.next()
      await client.leave()
      const span = await fixture.telemetry.waitForSpan('send question')
      expect(span.kind).toBe(SpanKind.INTERNAL)
      expect(span.attributes).toMatchObject({
        'websocket.ack.outcome': 'disconnected',
        'websocket.span.ended_by': 'disconnect',
      })
      await fixture.telemetry.waitForSpan(`close ${names.route}`)
    })
  })
}
