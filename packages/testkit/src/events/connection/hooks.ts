import type { Span } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { arounds, store } from '../../shared/around.ts'
import type { EventFixture } from '../fixture.ts'
import type { EventHarness } from '../harness.ts'

export function hookTests(harness: EventHarness, fixture: EventFixture): void {
  const { names, closes } = harness
  const binary = harness.type === 'binary'

  /** Two events with an answer each, and the client's leave. */
  async function exchange(telemetry: Record<string, unknown>): Promise<void> {
    const { client } = await fixture.open({
      telemetry,
      connection() {},
      events: { hello: (from, data) => from.emit('answer', data) },
    })
    for (const data of [1, 2]) {
      client.emit('hello', data)
      expect(await client.next()).toEqual({ name: 'answer', data })
    }
    await client.leave()
    await fixture.telemetry.waitForSpan(`close ${names.route}`)
    await fixture.settle()
  }
  const spans = [
    names.handshake,
    ...(names.below ?? []),
    `close ${names.route}`,
    `open ${names.route}`,
    'process hello',
    'process hello',
    'send answer',
    'send answer',
  ].sort()

  describe('hooks', () => {
    it.each(Object.keys(arounds))('around that %s: handlers run once and answer', async (which) => {
      let handled = 0
      const { client } = await fixture.open({
        telemetry: { around: arounds[which] },
        events: {
          hello(from) {
            handled++
            from.emit('answer', store.getStore())
          },
        },
      })
      client.emit('hello')
      await client.next()
      await fixture.telemetry.waitForSpan('process hello')
      expect(handled).toBe(1)
    })

    it('around surrounds the handlers of an event', async () => {
      const infos: unknown[] = []
      const { client } = await fixture.open({
        telemetry: {
          around(run: () => unknown, { kind, name }: { kind: string; name?: string }) {
            infos.push([kind, name])
            return store.run(`store of ${kind}`, run)
          },
        },
        events: { hello: (from) => from.emit('answer', store.getStore()) },
      })
      client.emit('hello')
      expect((await client.next()).data).toBe('store of message')
      expect(infos).toContainEqual(['message', 'hello'])
      expect(infos.filter((info) => (info as unknown[])[0] === 'message')).toHaveLength(1)
    })

    it('are called with the documented arguments and add attributes to the spans', async () => {
      const calls: unknown[] = []
      await exchange({
        onHandshake(span: Span, request: { url?: string }) {
          calls.push(['handshake', typeof request.url])
          span.setAttribute('direct', true)
          return { tenant: 't1' }
        },
        onMessage(_span: Span, message: { direction: string; data: unknown; binary: boolean; connectionId: string }) {
          calls.push([message.direction, message.binary, message.connectionId.length])
          return { hooked: message.direction }
        },
        onClose(_span: Span, close: Record<string, unknown>) {
          const { connectionId, duration, code, category, initiator } = close
          calls.push(['close', code, category, initiator, typeof connectionId, typeof duration])
          return { why: 'because' }
        },
      })
      const { code, category, initiator } = closes.leave
      expect(calls).toEqual([
        ['handshake', 'string'],
        ['receive', binary, 16],
        ['send', binary, 16],
        ['receive', binary, 16],
        ['send', binary, 16],
        ['close', code, category, initiator, 'string', 'number'],
      ])
      const handshakes = [names.handshake, ...(names.below ?? [])].map(
        (name) => fixture.telemetry.span(name).attributes,
      )
      expect(handshakes.filter(({ direct, tenant }) => direct === true && tenant === 't1')).toHaveLength(1)
      expect(fixture.telemetry.span(`close ${names.route}`).attributes['why']).toBe('because')
      for (const [name, hooked] of [
        ['process hello', 'receive'],
        ['send answer', 'send'],
      ] as const) {
        expect(fixture.telemetry.spans(name).map((span) => span.attributes['hooked'])).toEqual([hooked, hooked])
      }
    })

    it.each(['onHandshake', 'onMessage', 'onClose', 'ignore', 'remoteContext'])(
      'that throw are logged once and change nothing: %s',
      async (hook) => {
        await exchange({
          [hook]() {
            throw new Error(`${hook} is broken`)
          },
        })
        expect(fixture.telemetry.names()).toEqual(spans)
        expect(fixture.telemetry.diagnostics.filter((line) => line.includes(`${hook} is broken`))).toHaveLength(1)
      },
    )

    it('that return rejected promises change nothing', async () => {
      const reject = async (): Promise<never> => {
        throw new Error('async hook is broken')
      }
      await exchange({ onHandshake: reject, onMessage: reject, onClose: reject })
      expect(fixture.telemetry.names()).toEqual(spans)
    })

    it('that return nonsense change nothing', async () => {
      await exchange({ onHandshake: () => 'text', onMessage: () => 42, onClose: () => [] })
      expect(fixture.telemetry.names()).toEqual(spans)
    })
  })
}
