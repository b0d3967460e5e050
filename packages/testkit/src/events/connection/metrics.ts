import { AlwaysOffSampler } from '@opentelemetry/sdk-trace'
import { describe, expect, it } from 'vitest'
import { eventually, placeOf } from '../expectations.ts'
import type { EventFixture } from '../fixture.ts'
import type { EventHarness } from '../harness.ts'

export function metricTests(harness: EventHarness, fixture: EventFixture): void {
  const { names, closes } = harness

  describe('metrics', () => {
    it.each(['sampled', 'not sampled'])('are exact when spans are %s', async (how) => {
      const { telemetry } = fixture
      if (how === 'not sampled') telemetry.sampler = new AlwaysOffSampler()
      const { client, host } = await fixture.open({
        telemetry: { messageSizeMetric: true },
        events: { hello: (from, data) => from.emit('answer', data) },
      })
      const others = await fixture.connect(host)
      for (const data of ['one', 'two']) {
        client.emit('hello', data)
        await client.next()
      }
      const place = placeOf(harness)
      const value = async (name: string, extra: Record<string, unknown> = {}) => {
        const rows = await telemetry.collect(`websocket.server.${name}`)
        const wanted = Object.entries({ ...place, ...extra })
        return rows.filter(({ attributes }) => wanted.every(([key, expected]) => attributes[key] === expected))
      }
      expect(await value('connection.active')).toMatchObject([{ value: 2 }])
      await others.leave()
      await client.leave()
      await eventually(async () => (await value('connection.active'))[0]?.value === 0)
      await fixture.settle()
      expect(await value('connection.active')).toMatchObject([{ value: 0 }])
      expect(await value('message.process.active')).toMatchObject([{ value: 0 }])
      for (const [direction, name] of [
        ['receive', 'hello'],
        ['send', 'answer'],
      ] as const) {
        const where = { 'websocket.message.direction': direction }
        const delivery = direction === 'send' ? { 'websocket.message.delivery': 'personal' } : {}
        const messages = await value('messages', where)
        expect(messages.map(({ value: count, attributes }) => [count, attributes])).toEqual([
          [2, { ...place, ...where, ...delivery, 'websocket.message.name': name }],
        ])
        const bytes = 2 * harness.size(direction === 'receive' ? 'client' : 'server', name, 'one')
        expect(await value('io', where)).toMatchObject([{ value: bytes }])
        expect(await value('message.size', where)).toMatchObject([{ count: 2, sum: bytes }])
      }
      expect(await value('message.process.duration')).toMatchObject([
        { count: 2, attributes: { ...place, 'websocket.message.name': 'hello' } },
      ])
      expect(await value('handshake.duration')).toMatchObject([
        { count: 2, attributes: { 'websocket.handshake.outcome': 'accepted' } },
      ])
      const { code, category, initiator } = closes.leave
      expect(await value('connection.duration')).toMatchObject([
        {
          count: 2,
          attributes: {
            'websocket.close.code': code,
            'websocket.close.category': category,
            'websocket.close.initiator': initiator,
          },
        },
      ])
      if (how === 'not sampled') expect(telemetry.spans()).toEqual([])
      else expect(telemetry.spans(`close ${names.route}`)).toHaveLength(2)
    })
  })
}
