import { SpanStatusCode } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { delay, SLACK } from '../../shared/durations.ts'
import { withProcessErrors } from '../../testing/process-errors.ts'
import { milliseconds } from '../../testing/spans.ts'
import type { Fixture } from '../fixture.ts'
import type { Harness } from '../harness.ts'

export function errorTests(harness: Harness, fixture: Fixture): void {
  const { route } = harness
  const name = `process ${route}`
  /** The host logs what handlers throw. */
  const isCaught = harness.capabilities.connectionErrors === 'caught'

  class Coded extends Error {
    readonly code = 'E_CODED'
  }

  describe('error of a message handler', () => {
    it.each([
      ['an error', new TypeError('boom'), 'TypeError'],
      ['an error with a code', new Coded('boom'), 'E_CODED'],
      ['a string', 'boom', 'string'],
      ['null', null, 'null'],
      ['a frozen object', Object.freeze({ boom: true }), 'object'],
    ])('thrown as %s is recorded on the span and reaches the process', async (_what, thrown, type) => {
      await withProcessErrors(async (errors) => {
        const { client } = await fixture.open({
          connection(socket) {
            socket.onMessage(() => {
              throw thrown
            })
          },
        })
        client.send('x')
        const span = await fixture.telemetry.waitForSpan(name)
        if (!isCaught) expect(await errors.next()).toEqual({ event: 'uncaughtException', error: thrown })
        expect(errors.size).toBe(0)
        expect(span.status.code).toBe(SpanStatusCode.ERROR)
        expect(span.attributes['error.type']).toBe(type)
        if (thrown instanceof Error) {
          expect(span.events.map((event) => event.name)).toEqual(['exception'])
          expect(span.events[0]?.attributes?.['exception.message']).toBe('boom')
        }
      })
    })

    it.each([
      ['an error', new RangeError('late'), 'RangeError'],
      ['a string', 'late', 'string'],
    ])('that is a late rejection with %s is recorded on the span and stays unhandled', async (_what, reason, type) => {
      await withProcessErrors(async (errors) => {
        const { client } = await fixture.open({
          connection(socket) {
            socket.onMessage(async () => {
              await delay(30)
              throw reason
            })
          },
        })
        client.send('x')
        const span = await fixture.telemetry.waitForSpan(name)
        const { event, error } = await errors.next()
        expect(event).toBe('unhandledRejection')
        expect(error).toBe(reason)
        expect(milliseconds(span)).toBeGreaterThanOrEqual(30 - SLACK)
        expect(span.status.code).toBe(SpanStatusCode.ERROR)
        expect(span.attributes['error.type']).toBe(type)
        await fixture.settle()
        expect(errors.size).toBe(0)
      })
    })

    it('is none with an isError that says so: the status stays unset', async () => {
      await withProcessErrors(async (errors) => {
        class Refused extends Error {}
        class Broken extends Error {}
        const infos: unknown[] = []
        const { client } = await fixture.open({
          telemetry: {
            isError(error: unknown, { kind, route: of }: { kind: string; route?: string }) {
              infos.push([kind, of])
              return error instanceof Refused ? false : undefined
            },
          },
          connection(socket) {
            socket.onMessage(async (data) => {
              throw data === 'refused' ? new Refused('not for you') : new Broken('on purpose')
            })
          },
        })
        client.send('refused')
        client.send('broken')
        await fixture.telemetry.waitForSpan(name, 2)
        const [refused, broken] = fixture.telemetry.spans(name)
        expect(refused?.status).toEqual({ code: SpanStatusCode.UNSET })
        expect(refused?.attributes['error.type']).toBe('Refused')
        expect(refused?.events).toEqual([])
        expect(broken?.status.code).toBe(SpanStatusCode.ERROR)
        // The event names the class as the attribute does, although the error's own name is `Error`.
        expect(broken?.attributes['error.type']).toBe('Broken')
        expect(broken?.events[0]?.attributes?.['exception.type']).toBe('Broken')
        expect(infos).toEqual([
          ['message', route],
          ['message', route],
        ])
        await errors.next()
        await errors.next()
      })
    })

    it('that the handler itself handles is not recorded', async () => {
      const { client } = await fixture.open({
        connection(socket) {
          socket.onMessage(async (data) => {
            try {
              JSON.parse(data.toString())
            } catch {
              socket.send('bad JSON')
            }
          })
        },
      })
      client.send('{')
      expect(await client.next()).toBe('bad JSON')
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.status.code).toBe(SpanStatusCode.UNSET)
      expect(span.attributes).not.toHaveProperty('error.type')
    })

    it('does not stop the next message from being traced', async () => {
      await withProcessErrors(async (errors) => {
        const { client } = await fixture.open({
          connection(socket) {
            socket.onMessage(async (data) => {
              if (data === 'bad') throw new TypeError('boom')
            })
          },
        })
        client.send('bad')
        client.send('good')
        await fixture.telemetry.waitForSpan(name, 2)
        await errors.next()
        expect(
          fixture.telemetry
            .spans(name)
            .map((span) => [span.attributes['websocket.message.sequence'], span.status.code]),
        ).toEqual([
          [1, SpanStatusCode.ERROR],
          [2, SpanStatusCode.UNSET],
        ])
      })
    })

    it('is an attribute of the duration metric', async () => {
      await withProcessErrors(async (errors) => {
        const { client } = await fixture.open({
          connection(socket) {
            socket.onMessage(async () => {
              throw new TypeError('boom')
            })
          },
        })
        client.send('x')
        await errors.next()
        await fixture.telemetry.waitForSpan(name)
        const rows = await fixture.telemetry.collect('websocket.server.message.process.duration')
        expect(rows.map(({ attributes, count }) => ({ attributes, count }))).toEqual([
          { attributes: { 'websocket.route': route, 'error.type': 'TypeError' }, count: 1 },
        ])
      })
    })
  })
}
