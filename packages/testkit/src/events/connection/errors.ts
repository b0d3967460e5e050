import { SpanStatusCode } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { delay, SLACK } from '../../shared/durations.ts'
import { errorEvent } from '../../shared/handler-errors.ts'
import { withProcessErrors } from '../../testing/process-errors.ts'
import { milliseconds } from '../../testing/spans.ts'
import { placeOf } from '../expectations.ts'
import type { EventFixture } from '../fixture.ts'
import type { EventHarness } from '../harness.ts'

export function errorTests(harness: EventHarness, fixture: EventFixture): void {
  const { eventErrors } = harness.capabilities

  class Coded extends Error {
    readonly code = 'E_CODED'
  }

  describe('error of an event handler', () => {
    it.each([
      ['an error', new RangeError('on purpose'), 'RangeError'],
      ['an error with a code', new Coded('on purpose'), 'E_CODED'],
      ['a string', 'on purpose', 'string'],
      ['a frozen object', Object.freeze({ boom: true }), 'object'],
    ])('is recorded on the span and goes on as it was: %s', async (_, error, type) => {
      await withProcessErrors(async (errors) => {
        const host = await fixture.serve({
          events: {
            throws() {
              throw error
            },
            async rejects() {
              await delay(30)
              throw error
            },
          },
        })
        for (const name of ['throws', 'rejects']) {
          // Each on a connection of its own: one whose handler has thrown may be of no more use.
          const client = await fixture.connect(host)
          client.emit(name)
          const span = await fixture.telemetry.waitForSpan(`process ${name}`)
          expect(span.status.code).toBe(SpanStatusCode.ERROR)
          expect(span.attributes['error.type']).toBe(type)
          if (error instanceof Error) {
            expect(span.status.message).toBe('on purpose')
            expect(span.events.map((event) => event.name)).toEqual(['exception'])
          }
          if (name === 'rejects') expect(milliseconds(span)).toBeGreaterThanOrEqual(30 - SLACK)
          const event = errorEvent(eventErrors, name === 'throws')
          if (event !== undefined) expect(await errors.next()).toEqual({ event, error })
        }
        expect(errors.size).toBe(0)
      })
    })

    it('that the handler itself handles is not recorded', async () => {
      const { client } = await fixture.open({
        events: {
          async hello(from) {
            await Promise.reject(new Error('handled')).catch(() => from.emit('answer'))
          },
        },
      })
      client.emit('hello')
      expect((await client.next()).name).toBe('answer')
      const span = await fixture.telemetry.waitForSpan('process hello')
      expect(span.status.code).toBe(SpanStatusCode.UNSET)
      expect(span.attributes).not.toHaveProperty('error.type')
    })

    it('does not stop the next event from being traced, and is an attribute of the duration metric', async () => {
      await withProcessErrors(async (errors) => {
        const { client } = await fixture.open({
          events: {
            async hello(_, data) {
              if (data === 'bad') throw new TypeError('on purpose')
            },
          },
        })
        client.emit('hello', 'bad')
        client.emit('hello', 'good')
        await fixture.telemetry.waitForSpan('process hello', 2)
        if (eventErrors !== 'handled') await errors.next()
        const statuses = fixture.telemetry
          .spans('process hello')
          .map((span) => [span.attributes['websocket.message.sequence'], span.status.code])
        expect(statuses.sort()).toEqual([
          [1, SpanStatusCode.ERROR],
          [2, SpanStatusCode.UNSET],
        ])
        const rows = await fixture.telemetry.collect('websocket.server.message.process.duration')
        const attributes = { ...placeOf(harness), 'websocket.message.name': 'hello' }
        expect(rows.map((row) => [row.attributes, row.count])).toEqual(
          expect.arrayContaining([
            [{ ...attributes, 'error.type': 'TypeError' }, 1],
            [attributes, 1],
          ]),
        )
        expect(rows).toHaveLength(2)
      })
    })
  })
}
