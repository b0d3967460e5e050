import { trace } from '@opentelemetry/api'
import { AlwaysOffSampler, AlwaysOnSampler, SamplingDecision } from '@opentelemetry/sdk-trace'
import { describe, expect, it } from 'vitest'
import type { EventFixture } from '../fixture.ts'
import type { EventHarness } from '../harness.ts'

export function samplingTests(harness: EventHarness, fixture: EventFixture): void {
  const { names } = harness

  describe('sampling', () => {
    it('is decided once for each message, before its attributes are made', async () => {
      const asked: string[] = []
      const { telemetry } = fixture
      const { client } = await fixture.open({ events: { hello: (from) => from.emit('answer') } })
      telemetry.sampler = {
        shouldSample(_context, _traceId, name, _kind, attributes) {
          asked.push(name)
          expect(attributes['websocket.message.size']).toBeUndefined()
          return { decision: SamplingDecision.NOT_RECORD }
        },
        toString: () => 'test',
      }
      client.emit('hello')
      await client.next()
      await client.leave()
      await fixture.settle()
      expect(asked.filter((name) => !name.startsWith('close'))).toEqual(['process hello'])
    })

    it('may send events of its own, which get no span that would ask it again', async () => {
      const { telemetry } = fixture
      const { client, socket } = await fixture.open({ events: { hello: () => {} } })
      let asked = 0
      telemetry.sampler = {
        shouldSample() {
          asked++
          socket.emit('from the sampler')
          return { decision: SamplingDecision.RECORD_AND_SAMPLED }
        },
        toString: () => 'a sampler that sends',
      }
      client.emit('hello')
      expect((await client.next()).name).toBe('from the sampler')
      await telemetry.waitForSpan('process hello')
      telemetry.sampler = new AlwaysOffSampler()
      await fixture.settle()
      expect(asked).toBe(1)
      expect(telemetry.spans('send from the sampler')).toEqual([])
    })

    it.each([true, false])(
      'inherits the decision of the handshake with messageSampling: connection (%s)',
      async (on) => {
        const { telemetry } = fixture
        telemetry.sampler = on ? new AlwaysOnSampler() : new AlwaysOffSampler()
        let recording: boolean | undefined
        const { client } = await fixture.open({
          telemetry: { messageSampling: 'connection' },
          events: {
            hello(from) {
              recording = trace.getActiveSpan()?.isRecording()
              from.emit('answer')
            },
          },
        })
        telemetry.sampler = harness.connectionSampler(on ? new AlwaysOffSampler() : new AlwaysOnSampler())
        client.emit('hello')
        await client.next()
        await client.leave()
        await fixture.settle()
        expect(recording).toBe(on)
        expect(telemetry.spans('process hello')).toHaveLength(on ? 1 : 0)
        expect(telemetry.spans(`close ${names.route}`)).toHaveLength(on ? 1 : 0)
      },
    )

    it('keeps a connection to its budget of message spans, and counts those that it left out', async () => {
      const { client } = await fixture.open({
        telemetry: { maxMessageSpansPerSecond: 1 },
        events: { hello: () => {}, last: (from) => from.emit('answer') },
      })
      for (let n = 0; n < 9; n++) client.emit('hello')
      client.emit('last')
      await client.next()
      await client.leave()
      const close = await fixture.telemetry.waitForSpan(`close ${names.route}`)
      const processed = fixture.telemetry.spans().filter(({ name }) => name.startsWith('process ')).length
      const sent = fixture.telemetry.spans().filter(({ name }) => name.startsWith('send ')).length
      const dropped = close.attributes['websocket.connection.spans.dropped'] as number
      expect(processed).toBeGreaterThanOrEqual(1)
      // What an unsampled message sends inherits its decision and asks for no span.
      expect(dropped + processed).toBe(10)
      expect(sent).toBeLessThanOrEqual(1)
    })
  })
}
