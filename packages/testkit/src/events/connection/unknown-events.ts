import { describe, expect, it } from 'vitest'
import { placeOf } from '../expectations.ts'
import type { EventFixture } from '../fixture.ts'
import type { EventHarness } from '../harness.ts'

/** Events without a handler, as capability `unknownEvents` declares them. */
export function unknownEventTests(harness: EventHarness, fixture: EventFixture): void {
  const { names, capabilities, type } = harness

  describe('event without a handler', () => {
    if (capabilities.unknownEvents === 'other') {
      it('is named _OTHER, with its original name cut', async () => {
        const { client, connection } = await fixture.open({ events: { hello: () => {} } })
        const long = 'x'.repeat(names.longestRead ?? 10_000)
        client.emit('made up', 1)
        client.emit(long)
        const span = await fixture.telemetry.waitForSpan('process _OTHER', 2)
        const [first] = fixture.telemetry.spans('process _OTHER')
        expect(first?.attributes).toEqual({
          ...placeOf(harness),
          'websocket.connection.id': connection.id,
          'websocket.message.name': '_OTHER',
          'websocket.message.name_original': 'made up',
          'websocket.message.type': type,
          'websocket.message.size': harness.size('client', 'made up', 1),
          'websocket.message.sequence': 1,
        })
        expect(span.attributes['websocket.message.name_original']).toBe(long.slice(0, 128))
        const durations = await fixture.telemetry.collect('websocket.server.message.process.duration')
        expect(durations.map(({ attributes }) => attributes['websocket.message.name'])).toEqual(['_OTHER'])
      })
    }

    if (capabilities.unknownEvents === 'named') {
      it('has its own name, up to the limit of distinct names', async () => {
        const { client } = await fixture.open({ telemetry: { maxMessageNames: 2 }, events: { hello: () => {} } })
        for (const name of ['hello', 'made up', 'one too many']) client.emit(name, 1)
        const span = await fixture.telemetry.waitForSpan('process _OTHER')
        expect(span.attributes['websocket.message.name_original']).toBe('one too many')
        expect(fixture.telemetry.span('process made up').attributes['websocket.message.name']).toBe('made up')
        const durations = await fixture.telemetry.collect('websocket.server.message.process.duration')
        expect(durations.map(({ attributes }) => attributes['websocket.message.name'])).toEqual([
          'hello',
          'made up',
          '_OTHER',
        ])
      })
    }

    if (capabilities.unknownEvents === 'unseen') {
      it('is not traced', async () => {
        const { client } = await fixture.open({ events: { hello: (from) => from.emit('answer') } })
        client.emit('made up', 1)
        client.emit('hello')
        await client.next()
        await fixture.telemetry.waitForSpan('process hello')
        expect(fixture.telemetry.names().filter((name) => name.startsWith('process'))).toEqual(['process hello'])
      })
    }
  })
}
