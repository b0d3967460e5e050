import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { DELAY, delay, SLACK } from '../../shared/durations.ts'
import { errorEvent } from '../../shared/handler-errors.ts'
import { turns } from '../../shared/turns.ts'
import { withProcessErrors } from '../../testing/process-errors.ts'
import { linkTo, milliseconds } from '../../testing/spans.ts'
import { placeOf } from '../expectations.ts'
import type { EventFixture } from '../fixture.ts'
import type { EventHarness } from '../harness.ts'

export function openTests(harness: EventHarness, fixture: EventFixture): void {
  const { names, capabilities } = harness
  const name = `open ${names.route}`

  describe('open', () => {
    it('covers the connection handler with a child of the handshake that is active in it', async () => {
      let active: string | undefined
      const { connection } = await fixture.open({
        connection: async () => {
          await delay()
          active = trace.getActiveSpan()?.spanContext().spanId
        },
      })
      const open = await fixture.telemetry.waitForSpan(name)
      expect(open.kind).toBe(SpanKind.INTERNAL)
      expect(open.parentSpanContext?.spanId).toBe(fixture.telemetry.span(names.handshake).spanContext().spanId)
      expect(open.links).toEqual([])
      expect(open.attributes).toEqual({
        ...placeOf(harness),
        ...names.onOpen,
        'websocket.connection.id': connection.id,
      })
      expect(active).toBe(open.spanContext().spanId)
      expect(milliseconds(open)).toBeGreaterThanOrEqual(DELAY - SLACK)
    })

    it('is the parent of what the handler sends, and not of what a timer of it sends', async () => {
      const { client } = await fixture.open({
        connection(socket) {
          socket.emit('welcome')
          setTimeout(() => socket.emit('later'), 0)
        },
      })
      expect([(await client.next()).name, (await client.next()).name]).toEqual(['welcome', 'later'])
      const open = await fixture.telemetry.waitForSpan(name)
      const welcome = await fixture.telemetry.waitForSpan('send welcome')
      const later = await fixture.telemetry.waitForSpan('send later')
      expect(welcome.parentSpanContext?.spanId).toBe(open.spanContext().spanId)
      expect(welcome.links).toEqual([])
      expect(later.parentSpanContext).toBeUndefined()
      expect(later.links).toEqual([linkTo(fixture.telemetry.span(names.handshake))])
    })

    it('is not the parent of events', async () => {
      let release: () => void = () => {}
      const released = new Promise<void>((resolve) => {
        release = resolve
      })
      const { client } = await fixture.open({
        connection: async () => released,
        events: { hello: (from) => from.emit('answer') },
      })
      client.emit('hello')
      await client.next()
      const process = await fixture.telemetry.waitForSpan('process hello')
      expect(process.parentSpanContext).toBeUndefined()
      release()
      await fixture.telemetry.waitForSpan(name)
    })

    it.each(['throws', 'rejects'])('has the error of a handler that %s', async (how) => {
      await withProcessErrors(async (errors) => {
        const error = new RangeError('too many')
        const host = await fixture.serve({
          connection:
            how === 'throws'
              ? () => {
                  throw error
                }
              : async () => {
                  await turns(1)
                  throw error
                },
        })
        // A host whose handler throws may never let its client in.
        const client = fixture.connect(host).catch(() => undefined)
        const span = await fixture.telemetry.waitForSpan(name)
        expect(span.status.code).toBe(SpanStatusCode.ERROR)
        expect(span.attributes['error.type']).toBe('RangeError')
        expect(span.events.map((event) => event.name)).toEqual(['exception'])
        const event = errorEvent(capabilities.connectionErrors, how === 'throws')
        if (event !== undefined) expect(await errors.next()).toEqual({ event, error })
        await fixture.settle()
        await client
        expect(errors.size).toBe(0)
      })
    })

    if (capabilities.shutdownAlone) {
      it('of a handler that never settles ends with the telemetry', async () => {
        const { host } = await fixture.open({ connection: async () => new Promise(() => {}) })
        expect(fixture.telemetry.spans(name)).toEqual([])
        await host.shutdown()
        expect(fixture.telemetry.span(name).attributes['websocket.span.ended_by']).toBe('shutdown')
      })
    }
  })
}
