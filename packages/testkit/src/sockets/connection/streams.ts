import { SpanStatusCode } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { withProcessErrors } from '../../testing/process-errors.ts'
import { milliseconds } from '../../testing/spans.ts'
import type { Fixture } from '../fixture.ts'
import type { Harness } from '../harness.ts'

export function streamTests(harness: Harness, fixture: Fixture): void {
  const { route } = harness
  const process = `process ${route}`

  describe('stream', () => {
    it('measures a streamed answer on the process span and in the metrics', async () => {
      const { client } = await fixture.open({
        connection(socket, connection) {
          socket.onMessage(async () => {
            const stream = connection.stream()
            for (const token of ['a', 'b', 'c']) {
              await new Promise((resolve) => setTimeout(resolve, 20))
              socket.send(token)
              stream.item()
            }
            stream.item(2)
            stream.end()
          })
        },
      })
      client.send('ask')
      const span = await fixture.telemetry.waitForSpan(process)
      const first = span.attributes['websocket.stream.time_to_first_item'] as number
      const last = span.attributes['websocket.stream.time_to_last_item'] as number
      expect(span.attributes['websocket.stream.items']).toBe(5)
      expect(span.attributes['websocket.stream.outcome']).toBe('completed')
      expect(first).toBeGreaterThanOrEqual(0.018)
      expect(last).toBeGreaterThanOrEqual(0.056)
      expect(last * 1e3).toBeLessThanOrEqual(milliseconds(span))
      expect(span.attributes['websocket.stream.item_interval']).toBeCloseTo((last - first) / 4, 6)
      const [firstItem] = await fixture.telemetry.collect('websocket.server.stream.first_item.duration')
      const [whole] = await fixture.telemetry.collect('websocket.server.stream.duration')
      expect(firstItem).toMatchObject({ unit: 's', count: 1, attributes: { 'websocket.route': route } })
      expect(firstItem?.sum).toBeCloseTo(first, 6)
      expect(whole).toMatchObject({ unit: 's', count: 1, attributes: { 'websocket.route': route } })
    })

    it('that outlives its handler keeps the process span open', async () => {
      let finish: () => void = () => {}
      const { client } = await fixture.open({
        connection(socket, connection) {
          socket.onMessage(() => {
            const stream = connection.stream()
            finish = () => {
              stream.item()
              stream.end()
            }
            socket.send('started')
          })
        },
      })
      client.send('ask')
      await client.next()
      await fixture.telemetry.waitForSpan(`send ${route}`)
      expect(fixture.telemetry.spans(process)).toEqual([])
      finish()
      expect((await fixture.telemetry.waitForSpan(process)).attributes['websocket.stream.items']).toBe(1)
    })

    it.each(['end with an error', 'disconnect'])('has the error that it failed with: %s', async (how) => {
      const { client } = await fixture.open({
        connection(socket, connection) {
          socket.onMessage(() => {
            const stream = connection.stream()
            stream.item()
            if (how === 'disconnect') return
            stream.end(new RangeError('model failed'))
            stream.end()
            stream.item()
          })
        },
      })
      client.send('ask')
      if (how === 'disconnect') await client.close(1000)
      const span = await fixture.telemetry.waitForSpan(process)
      const type = how === 'disconnect' ? 'disconnected' : 'RangeError'
      expect(span.attributes['error.type']).toBe(type)
      expect(span.attributes['websocket.stream.items']).toBe(1)
      expect(span.attributes['websocket.stream.outcome']).toBe(how === 'disconnect' ? 'disconnected' : 'failed')
      const rows = await fixture.telemetry.collect('websocket.server.stream.duration')
      expect(rows.map((row) => [row.attributes['error.type'], row.count])).toEqual([[type, 1]])
    })

    it('that is cancelled is not an error', async () => {
      const { client } = await fixture.open({
        connection(socket, connection) {
          socket.onMessage(() => {
            const stream = connection.stream()
            stream.item()
            stream.cancel()
            stream.end(new Error('too late'))
          })
        },
      })
      client.send('ask')
      const span = await fixture.telemetry.waitForSpan(process)
      expect(span.attributes).toMatchObject({ 'websocket.stream.items': 1, 'websocket.stream.outcome': 'cancelled' })
      expect(span.status.code).toBe(SpanStatusCode.UNSET)
      const [duration] = await fixture.telemetry.collect('websocket.server.stream.duration')
      expect(duration?.attributes['websocket.stream.outcome']).toBe('cancelled')
    })

    it('without an end outlives its span, with the figures so far, and is counted', async () => {
      let forget: () => void = () => {}
      const { client } = await fixture.open({
        telemetry: { maxConnectionSpanAge: 50 },
        connection(socket, connection) {
          socket.onMessage(() => {
            const stream = connection.stream()
            stream.item(3)
            forget = () => stream.cancel()
          })
        },
      })
      const active = async () =>
        (await fixture.telemetry.collect('websocket.server.stream.active')).map((row) => row.value)
      client.send('subscribe')
      const span = await fixture.telemetry.waitForSpan(process)
      expect(span.attributes).toMatchObject({ 'websocket.span.ended_by': 'age', 'websocket.stream.items': 3 })
      expect(span.attributes['websocket.stream.outcome']).toBeUndefined()
      expect(await active()).toEqual([1])
      forget()
      expect(await active()).toEqual([0])
    })

    it('outside of a handler is in the metrics only', async () => {
      await withProcessErrors(async () => {
        const { connection } = await fixture.open()
        const stream = connection.stream()
        stream.item()
        stream.end()
        const [whole] = await fixture.telemetry.collect('websocket.server.stream.duration')
        expect(whole?.count).toBe(1)
      })
    })
  })
}
