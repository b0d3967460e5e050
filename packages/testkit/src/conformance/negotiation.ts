import { describe, expect, it } from 'vitest'
import type { WebSocket } from 'ws'
import type { Fixture } from '../fixture.ts'
import { encodeFrame, OPCODE } from '../frames.ts'
import type { Harness } from '../harness.ts'

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const ASKING = { 'otel-ws': '1' }

/** How peers agree to context in messages. */
export function negotiationTests(harness: Harness, fixture: Fixture): void {
  const { route } = harness

  const echo = {
    connection: (socket: WebSocket) => socket.on('message', (data) => socket.send(data.toString())),
  }

  describe('agreement', () => {
    it('is told in the answer to a client that asks with a header, with the id of the connection', async () => {
      const host = await fixture.serve({ telemetry: {}, ...echo })
      const client = await fixture.rawConnect(host, { headers: ASKING })
      const id = fixture.telemetry.span(`GET ${route}`).attributes['websocket.connection.id']
      expect(id).toMatch(/^[0-9a-f]{16}$/)
      const lines = (await client.response).text.split('\r\n')
      expect(lines.filter((line) => /^otel-ws/i.test(line))).toEqual([`otel-ws: 1; id=${id}`])
      client.send(OPCODE.close)
      const close = await fixture.telemetry.waitForSpan(`close ${route}`)
      expect(close.attributes['websocket.connection.id']).toBe(id)
    })

    it('is told by the first message to a client that asks in the query, and counts for nothing', async () => {
      const { client, connection } = await fixture.open({
        telemetry: {},
        client: { query: '?otel-ws=1' },
        connection(socket) {
          socket.send('first')
        },
      })
      expect(await client.nextMessage()).toEqual({
        data: Buffer.from(`{"_otel":{"v":1,"id":"${connection.id}"}}`),
        binary: false,
      })
      expect(await client.next()).toBe('first')
      const send = await fixture.telemetry.waitForSpan(`send ${route}`)
      expect(send.attributes['websocket.message.sequence']).toBe(1)
      await client.close()
      const close = await fixture.telemetry.waitForSpan(`close ${route}`)
      expect(close.attributes).toMatchObject({
        'websocket.connection.id': connection.id,
        'websocket.connection.messages.sent': 1,
        'websocket.connection.bytes.sent': 5,
      })
    })

    it('by hello comes before what was sent with the upgrade is answered', async () => {
      const host = await fixture.serve({ telemetry: {}, ...echo })
      const client = fixture.upgrade(host, { query: '?otel-ws=1', head: encodeFrame(OPCODE.text, 'early') })
      expect((await client.nextFrame()).payload.toString()).toMatch(/^\{"_otel":\{"v":1,"id":"[0-9a-f]{16}"\}\}$/)
      expect((await client.nextFrame()).payload.toString()).toBe('early')
    })

    it.each([
      ['a client that does not ask', {}, ''],
      ['a client of another version', { 'otel-ws': '2' }, ''],
      ['a client of another version in the query', {}, '?otel-ws=2'],
    ])('is not made with %s', async (_, headers, query) => {
      const host = await fixture.serve({ telemetry: {}, ...echo })
      const client = fixture.upgrade(host, { headers, query })
      expect((await client.response).text).not.toMatch(/otel-ws/i)
      const wire = `{"_otel":{"traceparent":"${TRACEPARENT}"},"a":1}`
      client.send(OPCODE.text, wire)
      expect((await client.nextFrame()).payload.toString()).toBe(wire)
      const process = await fixture.telemetry.waitForSpan(`process ${route}`)
      expect(process.parentSpanContext).toBeUndefined()
      expect(process.attributes['websocket.message.size']).toBe(wire.length)
    })

    it.each([
      ['a header', { headers: ASKING }],
      ['the query', { query: '?otel-ws=1' }],
    ])("with option propagation: 'off' is not made with a client that asks with %s", async (_, options) => {
      const host = await fixture.serve({ telemetry: { propagation: 'off' }, ...echo })
      const client = fixture.upgrade(host, options)
      expect((await client.response).text).not.toMatch(/otel-ws/i)
      const wire = `{"_otel":{"traceparent":"${TRACEPARENT}"},"a":1}`
      client.send(OPCODE.text, wire)
      expect((await client.nextFrame()).payload.toString()).toBe(wire)
    })

    it('is not needed where the user has declared it, under a name of his own', async () => {
      const { client } = await fixture.open({
        telemetry: { propagation: 'always', carrierName: 'trace_context' },
        connection(socket) {
          socket.on('message', (data) => socket.send(data.toString()))
        },
      })
      client.send(`{"trace_context":{"traceparent":"${TRACEPARENT}"},"a":1}`)
      const answer = await client.next()
      const send = await fixture.telemetry.waitForSpan(`send ${route}`)
      const { traceId, spanId } = send.spanContext()
      expect(answer).toBe(`{"trace_context":{"traceparent":"00-${traceId}-${spanId}-01"},"a":1}`)
      expect(traceId).toBe('0af7651916cd43dd8448eb211c80319c')
    })

    it('goes before what was declared', async () => {
      const { client } = await fixture.open({
        telemetry: { propagation: 'always', carrierName: 'trace_context' },
        client: { headers: ASKING },
        connection(socket) {
          socket.on('message', (data) => socket.send(data.toString()))
        },
      })
      client.send(`{"_otel":{"traceparent":"${TRACEPARENT}"},"trace_context":{}}`)
      expect(await client.next()).toMatch(/^\{"_otel":\{"traceparent":"[^"]+"\},"trace_context":\{\}\}$/)
    })
  })
}
