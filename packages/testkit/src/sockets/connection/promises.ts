import { describe, expect, it } from 'vitest'
import { DELAY, delay, SLACK } from '../../shared/durations.ts'
import { withProcessErrors } from '../../testing/process-errors.ts'
import { milliseconds } from '../../testing/spans.ts'
import type { Fixture } from '../fixture.ts'
import type { Harness } from '../harness.ts'

const PROCESS_END = 'websocket.process.end'

/** Promises of handlers that are no `async` functions, on hosts that discard what handlers return. */
export function promiseTests(harness: Harness, fixture: Fixture): void {
  const process = `process ${harness.route}`

  describe('promise of a handler that is no async function', () => {
    it('is left alone: a rejection that the application handles elsewhere ends nothing', async () => {
      await withProcessErrors(async (errors) => {
        const handled: unknown[] = []
        function enqueue() {
          const job = delay().then(() => {
            throw new RangeError('boom')
          })
          job.catch((error: unknown) => handled.push(error))
          return job
        }
        const { client } = await fixture.open({ connection: (socket) => socket.onMessage(enqueue) })
        client.send('1')
        client.send('2')
        const span = await fixture.telemetry.waitForSpan(process, 2)
        expect(handled).toEqual([])
        expect(span.attributes[PROCESS_END]).toBe('returned')
        expect(span.attributes['error.type']).toBe(undefined)
        await delay(2 * DELAY)
        expect(handled).toHaveLength(2)
        expect(errors.size).toBe(0)
        const lines = fixture.telemetry.diagnostics.filter((line) => line.includes('returns a promise'))
        expect(lines).toHaveLength(1)
        expect(lines[0]).toContain("handler 'enqueue'")
        expect(lines[0]).toContain('write it as an async function')
        expect(lines[0]).toContain("followPromises to 'all'")
      })
    })

    it("is followed with followPromises: 'all', and its rejection stays unhandled", async () => {
      await withProcessErrors(async (errors) => {
        const { client } = await fixture.open({
          telemetry: { followPromises: 'all' },
          connection: (socket) =>
            socket.onMessage(() =>
              delay().then(() => {
                throw new RangeError('boom')
              }),
            ),
        })
        client.send('x')
        const span = await fixture.telemetry.waitForSpan(process)
        expect(milliseconds(span)).toBeGreaterThanOrEqual(DELAY - SLACK)
        expect(span.attributes['error.type']).toBe('RangeError')
        expect(span.attributes).not.toHaveProperty(PROCESS_END)
        expect((await errors.next()).event).toBe('unhandledRejection')
      })
    })

    it('is followed if the function is a bound async one', async () => {
      async function handle(this: string) {
        await delay()
      }
      const { client } = await fixture.open({ connection: (socket) => socket.onMessage(handle.bind('bound')) })
      client.send('x')
      const span = await fixture.telemetry.waitForSpan(process)
      expect(milliseconds(span)).toBeGreaterThanOrEqual(DELAY - SLACK)
      expect(span.attributes).not.toHaveProperty(PROCESS_END)
    })
  })
}
