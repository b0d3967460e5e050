import { propagation, SpanStatusCode } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { SPAN_ID, TRACEPARENT } from '../../shared/trace-context.ts'
import { linkTo } from '../../testing/spans.ts'
import { BROWSER, OFFER, withCarrier, withContextOf } from '../connection/propagation/carriers.ts'
import type { Harness } from '../harness.ts'
import type { WsFixture } from '../ws-fixture.ts'

/** Context in messages in the forms that only `ws` has: bytes, fragments, compressed messages. */
export function wsPropagationTests({ route }: Harness, fixture: WsFixture): void {
  const name = `send ${route}`

  describe('context in messages of ws', () => {
    it.each(['nodebuffer', 'arraybuffer', 'fragments'] as const)(
      'is taken from texts and not from binary messages, with binaryType %s',
      async (binaryType) => {
        const messages: unknown[] = []
        const { client } = await fixture.open({
          client: OFFER,
          connection(socket) {
            socket.binaryType = binaryType
            socket.on('message', (data, binary) => messages.push([Buffer.from(bytesOf(data)).toString(), binary]))
          },
        })
        const wire = withCarrier('{"a":1}')
        client.send(wire)
        client.send(Buffer.from(wire), { binary: true })
        await fixture.telemetry.waitForSpan(`process ${route}`, 2)
        expect(messages).toEqual([
          ['{"a":1}', false],
          [wire, true],
        ])
        const [text, binary] = fixture.telemetry.spans(`process ${route}`)
        expect(text?.parentSpanContext?.spanId).toBe(SPAN_ID)
        expect(binary?.parentSpanContext).toBeUndefined()
        expect(binary?.attributes).not.toHaveProperty('websocket.message.carrier.error')
      },
    )

    it.each([
      ['a string', '{"a":"h\u00e9"}'],
      ['a Buffer', Buffer.from('{"a":"h\u00e9"}')],
      ['a Uint8Array', new Uint8Array(Buffer.from('{"a":"h\u00e9"}'))],
      ['a view', new DataView(new Uint8Array(Buffer.from('{"a":"h\u00e9"}')).buffer)],
      ['an ArrayBuffer', new Uint8Array(Buffer.from('{"a":"h\u00e9"}')).buffer],
    ])('goes with a text in %s, which is not changed itself', async (_, data) => {
      const { client, socket } = await fixture.open({ client: OFFER })
      const before = Buffer.from(bytesOf(data)).toString()
      const error = await new Promise((resolve) => socket.send(data as Buffer, { binary: false }, resolve))
      expect(error).toBeFalsy()
      const wire = await client.nextMessage()
      const span = await fixture.telemetry.waitForSpan(name)
      expect(wire.binary).toBe(false)
      expect(wire.data.toString()).toBe(withContextOf(span, '{"a":"h\u00e9"}'))
      expect(span.attributes['websocket.message.size']).toBe(11)
      expect(Buffer.from(bytesOf(data)).toString()).toBe(before)
    })

    it('does not go with a number', async () => {
      const { client, socket } = await fixture.open({ client: OFFER })
      socket.send(5 as unknown as string)
      expect(await client.nextMessage()).toEqual({ data: Buffer.from('5'), binary: false })
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.links).toHaveLength(1)
    })

    it('goes with the first fragment that is not empty', async () => {
      const { client, socket, connection } = await fixture.open({ client: OFFER })
      socket.send('', { fin: false })
      socket.send('{', { fin: false })
      await new Promise(setImmediate)
      socket.send('"a":', { fin: false })
      socket.send('1}')
      const wire = await client.next()
      const span = await fixture.telemetry.waitForSpan(name)
      expect(wire).toBe(withContextOf(span, '{"a":1}'))
      expect(span.attributes).toEqual({
        'websocket.connection.id': connection.id,
        'websocket.route': route,
        'websocket.message.type': 'text',
        'websocket.message.size': 7,
        'websocket.message.sequence': 1,
      })
      expect(span.links).toEqual([linkTo(fixture.telemetry.span(`GET ${route}`))])
    })

    it('is empty with fragments that begin as if they had one', async () => {
      const { client, socket } = await fixture.open({ telemetry: { messages: false }, client: OFFER })
      const text = withCarrier('{"a":1}')
      for (const cut of [1, 4, 9, 12, 40]) {
        socket.send(text.slice(0, cut), { fin: false })
        socket.send(text.slice(cut))
        expect(await client.next()).toBe(withCarrier(text, ''))
      }
      socket.send('[', { fin: false })
      socket.send(']')
      expect(await client.next()).toBe('[]')
    })

    it('of a message whose last fragment never comes is that of a span that ends', async () => {
      const { client, socket } = await fixture.open({ client: OFFER })
      socket.send('{"a":', { fin: false })
      client.socket.terminate()
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.status.code).toBe(SpanStatusCode.ERROR)
      expect(span.attributes['error.type']).toBe('not_open')
      expect(span.attributes).not.toHaveProperty('websocket.message.sequence')
    })

    it('of a message that ws refuses is that of a span that ends, and is not counted', async () => {
      const { client, socket } = await fixture.open({ client: OFFER })
      expect(() =>
        socket.send('{}', {
          get compress(): boolean {
            throw new TypeError('no')
          },
        }),
      ).toThrow(TypeError)
      const failed = await fixture.telemetry.waitForSpan(name)
      expect(failed.attributes['error.type']).toBe('TypeError')
      expect(failed.attributes).not.toHaveProperty('websocket.message.sequence')
      socket.send('{}')
      expect(await client.next()).toBe(withContextOf(await fixture.telemetry.waitForSpan(name, 2), '{}'))
      expect(fixture.telemetry.spans(name)[1]?.attributes['websocket.message.sequence']).toBe(1)
    })

    it.each([
      ['a browser', {}, BROWSER, undefined],
      ['a browser that is trusted', { remoteContext: 'parent' }, BROWSER, 'blue'],
      ['a Node client', {}, { headers: {} }, 'blue'],
    ])(
      'is that of the handshake of %s in the connection handler, with its baggage',
      async (_, telemetry, client, expected) => {
        const tenants: unknown[] = []
        await fixture.open({
          telemetry,
          client: { headers: { ...client.headers, traceparent: TRACEPARENT, baggage: 'tenant=blue' } },
          connection: () => void tenants.push(propagation.getActiveBaggage()?.getEntry('tenant')?.value),
        })
        expect(tenants).toEqual([expected])
      },
    )

    it('is compressed with the message', async () => {
      const { client, socket } = await fixture.open({
        server: { perMessageDeflate: { threshold: 0 } },
        client: { ...OFFER, perMessageDeflate: true },
        connection(socket) {
          socket.on('message', (data) => socket.send(data.toString()))
        },
      })
      expect(socket.extensions).toContain('permessage-deflate')
      const text = JSON.stringify({ text: 'x'.repeat(5000) })
      client.send(withCarrier(text))
      const wire = await client.next()
      expect(wire).toBe(withContextOf(await fixture.telemetry.waitForSpan(name), text))
    })
  })
}

function bytesOf(data: unknown): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data)
  if (Array.isArray(data)) return Buffer.concat(data as Buffer[])
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  return new Uint8Array(data as ArrayBuffer)
}
