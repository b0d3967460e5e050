import { describe, expect, it } from 'vitest'
import { DELAY, delay, SLACK } from '../../shared/durations.ts'
import { milliseconds } from '../../testing/spans.ts'
import type { EventFixture } from '../fixture.ts'
import type { EventHarness } from '../harness.ts'

export function connectionContextTests(harness: EventHarness, fixture: EventFixture): void {
  const { names } = harness

  describe('connection context', () => {
    it('puts attributes of the application on every later span', async () => {
      const { client, connection } = await fixture.open({ events: { hello: (from) => from.emit('answer') } })
      connection.setAttribute('user.id', 'u-42')
      client.emit('hello')
      await client.next()
      await client.leave()
      await fixture.telemetry.waitForSpan(`close ${names.route}`)
      for (const name of ['process hello', 'send answer', `close ${names.route}`]) {
        expect(fixture.telemetry.span(name).attributes['user.id']).toBe('u-42')
      }
      expect(fixture.telemetry.span(names.handshake).attributes['user.id']).toBeUndefined()
    })

    it('measures a streamed answer on the process span', async () => {
      const opened = await fixture.open({
        events: {
          tokens(from) {
            const stream = opened.connection.stream()
            for (const token of ['one', 'two', 'three']) {
              from.emit('token', token)
              stream.item()
            }
            stream.end()
          },
        },
      })
      const { client } = opened
      client.emit('tokens')
      for (const data of ['one', 'two', 'three']) expect(await client.next()).toEqual({ name: 'token', data })
      const span = await fixture.telemetry.waitForSpan('process tokens')
      expect(span.attributes['websocket.stream.items']).toBe(3)
    })

    it('keeps the span of a handler open that returns before it is done, and records its failure', async () => {
      const opened = await fixture.open({
        events: {
          later() {
            const work = delay().then(() => {
              throw new RangeError('later')
            })
            opened.connection.waitUntil(work)
          },
        },
      })
      opened.client.emit('later')
      const span = await fixture.telemetry.waitForSpan('process later')
      expect(milliseconds(span)).toBeGreaterThanOrEqual(DELAY - SLACK)
      expect(span.attributes['error.type']).toBe('RangeError')
    })

    it('runs work of the connection outside of any message', async () => {
      const { client, socket, connection } = await fixture.open()
      connection.run(() => socket.emit('tick'))
      await client.next()
      const span = await fixture.telemetry.waitForSpan('send tick')
      expect(span.parentSpanContext).toBeUndefined()
    })
  })
}
