import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { TRACE_ID, TRACEPARENT, traceparentOf } from '../../shared/trace-context.ts'
import { encodeFrame, OPCODE } from '../../testing/frames.ts'
import { CONFIRMATION, HEADER_OFFER, QUERY_OFFER } from '../../testing/offer.ts'
import { echo, type Fixture } from '../fixture.ts'
import type { Harness } from '../harness.ts'

const OFFER = { 'otel-ws': HEADER_OFFER }

/** How peers agree to context in messages. */
export function agreementTests(harness: Harness, fixture: Fixture): void {
  const { route } = harness

  describe('agreement', () => {
    it('is a header of the answer, with the id of the connection, for a client that offers it in a header', async () => {
      const host = await fixture.serve({ connection: echo })
      const client = await fixture.rawConnect(host, { headers: OFFER })
      const id = fixture.telemetry.span(`GET ${route}`).attributes['websocket.connection.id']
      expect(id).toMatch(/^[0-9a-f]{16}$/)
      const lines = (await client.response).text.split('\r\n')
      expect(lines.filter((line) => /^otel-ws/i.test(line))).toEqual([`otel-ws: 1; id=${id}`])
      client.send(OPCODE.close)
      const close = await fixture.telemetry.waitForSpan(`close ${route}`)
      expect(close.attributes['websocket.connection.id']).toBe(id)
    })

    it('is the first message for a client that offers it in the query, and is not counted', async () => {
      const { client, connection } = await fixture.open({
        client: { query: QUERY_OFFER },
        connection: (socket) => void socket.send('first'),
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

    it('by the first message comes before the answer to what was sent with the upgrade', async () => {
      const host = await fixture.serve({ connection: echo })
      const client = fixture.upgrade(host, { query: QUERY_OFFER, head: encodeFrame(OPCODE.text, 'early') })
      expect((await client.nextFrame()).payload.toString()).toMatch(/^\{"_otel":\{"v":1,"id":"[0-9a-f]{16}"\}\}$/)
      expect((await client.nextFrame()).payload.toString()).toBe('early')
    })

    it('in the query holds once the client has confirmed it, which the application does not see', async () => {
      const messages: unknown[] = []
      const { client, connection } = await fixture.open({
        client: { query: QUERY_OFFER },
        connection(socket) {
          socket.onMessage((data) => {
            messages.push(data)
            socket.send('{"a":1}')
          })
        },
      })
      const wire = `{"_otel":{"traceparent":"${TRACEPARENT}"},"b":1}`
      expect(await client.next()).toBe(`{"_otel":{"v":1,"id":"${connection.id}"}}`)
      client.send(wire)
      expect(await client.next()).toBe('{"a":1}')
      client.send(CONFIRMATION)
      client.send(wire)
      expect(await client.next()).toMatch(new RegExp(`^\\{"_otel":\\{"traceparent":"00-${TRACE_ID}-`))
      // Only the first one is no message of the application.
      client.send(CONFIRMATION)
      await client.next()
      expect(messages).toEqual([wire, '{"b":1}', CONFIRMATION])
      await fixture.telemetry.waitForSpan(`process ${route}`, 3)
      const sequences = fixture.telemetry
        .spans(`process ${route}`)
        .map(({ attributes }) => attributes['websocket.message.sequence'])
      expect(sequences).toEqual([1, 2, 3])
      await client.close()
      const close = await fixture.telemetry.waitForSpan(`close ${route}`)
      expect(close.attributes['websocket.connection.messages.received']).toBe(3)
      fixture.telemetry.diagnostics.length = 0
    })

    it('in the query is made once for the same URL, which may be used again by a socket that is not traced', async () => {
      const host = await fixture.serve({ connection: echo })
      const query = `${QUERY_OFFER}&traceparent=00-${TRACE_ID}-${randomBytes(8).toString('hex')}-01`
      const first = await fixture.connect(host, { query })
      expect(await first.next()).toMatch(/^\{"_otel":/)
      const second = await fixture.connect(host, { query })
      second.send('{}')
      expect(await second.next()).toBe('{}')
    })

    it.each([
      [
        'in the header with the key of another connection',
        { 'otel-ws': '1; key=AAAAAAAAAAAAAAAAAAAAAA==' },
        '',
        'copied',
      ],
      ['in the query for another host', {}, '?otel-ws=1;host=chat.example', 'option authorities'],
    ])('is not made with an offer %s, of which one line says why', async (_, headers, query, reason) => {
      const host = await fixture.serve({ connection: echo })
      for (let n = 0; n < 2; n++) {
        const client = fixture.upgrade(host, { headers, query })
        expect((await client.response).text).not.toMatch(/otel-ws/i)
        client.send(OPCODE.text, CONFIRMATION)
        expect((await client.nextFrame()).payload.toString()).toBe(CONFIRMATION)
      }
      expect(fixture.telemetry.diagnostics.splice(0)).toEqual([expect.stringContaining(reason)])
    })

    it('is made for a host that option authorities names', async () => {
      const host = await fixture.serve({ telemetry: { authorities: ['Chat.Example:443'] }, connection: echo })
      const client = await fixture.connect(host, { query: '?otel-ws=1;host=chat.example' })
      expect(await client.next()).toMatch(/^\{"_otel":\{"v":1,"id":/)
    })

    it.each([
      ['a client that does not offer it', {}, ''],
      ['a client of another version', { 'otel-ws': '2' }, ''],
      ['a client that does not name its key', { 'otel-ws': '1' }, ''],
      ['a client of another version in the query', {}, '?otel-ws=2'],
      ['a client that does not name its host in the query', {}, '?otel-ws=1'],
    ])('is not made with %s', async (_, headers, query) => {
      const host = await fixture.serve({ connection: echo })
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
      ['a header', { headers: OFFER }],
      ['the query', { query: QUERY_OFFER }],
    ])("with option propagation: 'off' is not made with a client that offers it in %s", async (_, options) => {
      const host = await fixture.serve({ telemetry: { propagation: 'off' }, connection: echo })
      const client = fixture.upgrade(host, options)
      expect((await client.response).text).not.toMatch(/otel-ws/i)
      const wire = `{"_otel":{"traceparent":"${TRACEPARENT}"},"a":1}`
      client.send(OPCODE.text, wire)
      expect((await client.nextFrame()).payload.toString()).toBe(wire)
    })

    it('is not needed where the user has declared context in messages, with another member name', async () => {
      const { client } = await fixture.open({
        telemetry: { propagation: 'always', carrierName: 'trace_context' },
        connection: echo,
      })
      client.send(`{"trace_context":{"traceparent":"${TRACEPARENT}"},"a":1}`)
      const answer = await client.next()
      const send = await fixture.telemetry.waitForSpan(`send ${route}`)
      expect(answer).toBe(`{"trace_context":{"traceparent":"${traceparentOf(send)}"},"a":1}`)
      expect(send.spanContext().traceId).toBe(TRACE_ID)
    })

    it('takes precedence over what the user has declared', async () => {
      const { client } = await fixture.open({
        telemetry: { propagation: 'always', carrierName: 'trace_context' },
        client: { headers: OFFER },
        connection: echo,
      })
      client.send(`{"_otel":{"traceparent":"${TRACEPARENT}"},"trace_context":{}}`)
      expect(await client.next()).toMatch(/^\{"_otel":\{"traceparent":"[^"]+"\},"trace_context":\{\}\}$/)
    })
  })
}
