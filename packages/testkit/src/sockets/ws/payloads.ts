import { describe, expect, it } from 'vitest'
import type { Harness } from '../harness.ts'
import type { WsFixture } from '../ws-fixture.ts'

/** The data that a socket of `ws` sends, and the forms in which it receives data. */
export function payloadTests({ route }: Harness, fixture: WsFixture): void {
  const name = `send ${route}`

  describe('payloads of ws', () => {
    it.each(['nodebuffer', 'arraybuffer', 'fragments'] as const)(
      'that are received have their size with binaryType %s',
      async (binaryType) => {
        const { client } = await fixture.open({
          connection(socket) {
            socket.binaryType = binaryType
            socket.on('message', () => {})
          },
        })
        client.send(Buffer.alloc(300, 1))
        const span = await fixture.telemetry.waitForSpan(`process ${route}`)
        expect(span.attributes['websocket.message.type']).toBe('binary')
        expect(span.attributes['websocket.message.size']).toBe(300)
      },
    )

    it.each([
      ['a number', 1234, 'text', 4],
      ['a Float64Array', new Float64Array(2), 'binary', 16],
      ['a DataView', new DataView(new ArrayBuffer(10), 2, 5), 'binary', 5],
      ['an ArrayBuffer', new ArrayBuffer(11), 'binary', 11],
      ['a Blob', new Blob(['abc', 'd\u00e9']), 'binary', 6],
      ['an array of bytes', [1, 2, 3], 'binary', 3],
    ])('that are sent have their type and size: %s', async (_what, data, type, size) => {
      const { client, socket } = await fixture.open()
      socket.send(data as unknown as Buffer)
      const message = await client.nextMessage()
      expect(message.data.length).toBe(size)
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.attributes['websocket.message.type']).toBe(type)
      expect(span.attributes['websocket.message.size']).toBe(size)
    })

    it('that are sent with option binary have the type that goes over the wire', async () => {
      const { client, socket } = await fixture.open()
      socket.send('text as bytes', { binary: true })
      socket.send(Buffer.from('bytes as text'), { binary: false })
      expect((await client.nextMessage()).binary).toBe(true)
      expect((await client.nextMessage()).binary).toBe(false)
      await fixture.telemetry.waitForSpan(name, 2)
      expect(fixture.telemetry.spans(name).map((span) => span.attributes['websocket.message.type'])).toEqual([
        'binary',
        'text',
      ])
    })

    it('of a Blob are in order with what follows, and numbered in the order of the calls', async () => {
      const { client, socket } = await fixture.open()
      socket.send(new Blob(['first']) as unknown as Buffer)
      socket.send('second')
      expect([await client.next(), await client.next()]).toEqual(['first', 'second'])
      await fixture.telemetry.waitForSpan(name, 2)
      const messages = fixture.telemetry
        .spans(name)
        .map((span) => [span.attributes['websocket.message.size'], span.attributes['websocket.message.sequence']])
      expect(messages.sort()).toEqual([
        [5, 1],
        [6, 2],
      ])
    })
  })
}
