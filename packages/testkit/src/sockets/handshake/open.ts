import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { DELAY, delay, SLACK } from '../../shared/durations.ts'
import { errorEvent } from '../../shared/handler-errors.ts'
import { turns } from '../../shared/turns.ts'
import { withProcessErrors } from '../../testing/process-errors.ts'
import { linkTo, milliseconds } from '../../testing/spans.ts'
import type { Fixture } from '../fixture.ts'
import type { Harness } from '../harness.ts'

export function openTests(harness: Harness, fixture: Fixture): void {
  const { route } = harness
  const name = `open ${route}`

  describe('open', () => {
    it('covers the connection handler, under the handshake', async () => {
      const { connection } = await fixture.open()
      const span = await fixture.telemetry.waitForSpan(name)
      const handshake = fixture.telemetry.span(`GET ${route}`)
      expect(span.kind).toBe(SpanKind.INTERNAL)
      expect(span.parentSpanContext?.spanId).toBe(handshake.spanContext().spanId)
      expect(span.links).toEqual([])
      expect(span.status.code).toBe(SpanStatusCode.UNSET)
      expect(span.attributes).toEqual({ 'websocket.connection.id': connection.id, 'websocket.route': route })
    })

    it('lasts until an async handler has settled, and is active in it', async () => {
      const active: unknown[] = []
      await fixture.open({
        async connection() {
          active.push(trace.getActiveSpan()?.spanContext().spanId)
          await delay()
          active.push(trace.getActiveSpan()?.spanContext().spanId)
          trace.getTracer('app').startSpan('load user').end()
        },
      })
      const span = await fixture.telemetry.waitForSpan(name)
      const id = span.spanContext().spanId
      expect(milliseconds(span)).toBeGreaterThanOrEqual(DELAY - SLACK)
      expect(active).toEqual([id, id])
      expect(fixture.telemetry.span('load user').parentSpanContext?.spanId).toBe(id)
    })

    it('is the parent of what the handler sends', async () => {
      const { client } = await fixture.open({ connection: (socket) => void socket.send('welcome') })
      await client.next()
      const send = await fixture.telemetry.waitForSpan(`send ${route}`)
      const span = await fixture.telemetry.waitForSpan(name)
      expect(send.parentSpanContext?.spanId).toBe(span.spanContext().spanId)
      expect(send.links).toEqual([])
    })

    it('is not the parent of what a timer of the handler sends later', async () => {
      const { client } = await fixture.open({ connection: (socket) => void setTimeout(() => socket.send('later'), 0) })
      await client.next()
      const send = await fixture.telemetry.waitForSpan(`send ${route}`)
      const handshake = fixture.telemetry.span(`GET ${route}`)
      expect(send.parentSpanContext).toBeUndefined()
      expect(send.links).toEqual([linkTo(handshake)])
    })

    it('is not the parent of messages', async () => {
      const { client } = await fixture.open({
        async connection(socket) {
          socket.onMessage(() => socket.send('seen'))
          await new Promise<number>((resolve) => socket.onClose(resolve))
        },
      })
      client.send('x')
      await client.next()
      const process = await fixture.telemetry.waitForSpan(`process ${route}`)
      expect(process.parentSpanContext).toBeUndefined()
      await client.close(1000)
      await fixture.telemetry.waitForSpan(name)
    })

    it.each(['throws', 'rejects'])('has the error of a handler that %s', async (how) => {
      await withProcessErrors(async (errors) => {
        const error = new TypeError('no such room')
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
        await fixture.connect(host)
        const span = await fixture.telemetry.waitForSpan(name)
        expect(span.status.code).toBe(SpanStatusCode.ERROR)
        expect(span.attributes['error.type']).toBe('TypeError')
        expect(span.events.map((event) => event.name)).toEqual(['exception'])
        const event = errorEvent(harness.capabilities.connectionErrors, how === 'throws')
        if (event !== undefined) expect(await errors.next()).toEqual({ event, error })
        await fixture.settle()
        expect(errors.size).toBe(0)
      })
    })

    it('of a handler that never settles ends with the telemetry', async () => {
      const { host } = await fixture.open({ connection: async () => new Promise(() => {}) })
      expect(fixture.telemetry.spans(name)).toEqual([])
      await host.shutdown()
      const endedBy = harness.capabilities.shutdownAlone ? 'shutdown' : 'disconnect'
      expect(fixture.telemetry.span(name).attributes['websocket.span.ended_by']).toBe(endedBy)
    })
  })
}
