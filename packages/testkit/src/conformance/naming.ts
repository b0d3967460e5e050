import { describe, expect, it } from 'vitest'
import type { Fixture } from '../fixture.ts'
import { encodeFrame, OPCODE } from '../frames.ts'
import type { Harness } from '../harness.ts'

export function namingTests(harness: Harness, fixture: Fixture): void {
  const { route } = harness

  /** The process spans that these messages make, in order, told by `tell`. */
  async function told<T>(
    telemetry: Record<string, unknown>,
    messages: (string | Buffer)[],
    tell: (name: string, attributes: Record<string, unknown>) => T,
  ): Promise<T[]> {
    const host = await fixture.serve({
      telemetry,
      connection(socket) {
        socket.on('message', () => {})
      },
    })
    const client = await fixture.rawConnect(host)
    client.write(...messages.map((data) => encodeFrame(typeof data === 'string' ? OPCODE.text : OPCODE.binary, data)))
    const spans = () => fixture.telemetry.spans().filter((span) => span.name.startsWith('process'))
    await fixture.telemetry.waitUntil(() => spans().length === messages.length, `${messages.length} process spans`)
    return spans().map((span) => tell(span.name, span.attributes))
  }

  describe('message name', () => {
    it.each([
      ['the first member', '{"type":"say","text":"hi"}', 'say'],
      ['a later member', '{"text":"hi","n":[1,{"type":"no"}],"type":"say"}', 'say'],
      ['with blanks', ' { "a" : 1 ,\n "type" : "say" } ', 'say'],
      ['a number', '{"type":42}', '42'],
      ['escaped', '{"type":"s\\u0061y"}', 'say'],
      ['behind a large payload', `{"blob":"${'x'.repeat(5000)}","type":"say"}`, 'say'],
      ['behind a payload full of quotes', `{"blob":"${'\\"type\\":\\"no\\",'.repeat(400)}","type":"say"}`, 'say'],
    ])('is found by a selector: %s', async (_what, data, name) => {
      const spans = await told({ messageName: '$.type' }, [data], (span, attributes) => [
        span,
        attributes['websocket.message.name'],
      ])
      expect(spans).toEqual([[`process ${name}`, name]])
    })

    it.each([
      ['is nested', '{"a":{"type":"no"}}'],
      ['is an object', '{"type":{"a":1}}'],
      ['is null', '{"type":null}'],
      ['stands in a text', '{"text":"\\"type\\":\\"no\\""}'],
      ['stands in the middle of a large payload', `{"a":"${'x'.repeat(600)}","type":"no","b":"${'x'.repeat(600)}"}`],
      ['stands in no object', '["type","no"]'],
      ['stands in something cut off', '{"type":"no'],
      ['stands in no JSON', 'type: no'],
      ['stands in nothing', ''],
    ])('is the route when what is selected %s', async (_what, data) => {
      const spans = await told({ messageName: '$.type' }, [data], (span, attributes) => [
        span,
        attributes['websocket.message.name'],
      ])
      expect(spans).toEqual([[`process ${route}`, undefined]])
    })

    it('is an element of an array', async () => {
      const data = ['[2,"7","join","room:1",{}]', '["a"]', '{"2":"no"}']
      expect(await told({ messageName: '$[2]' }, data, (span) => span)).toEqual([
        'process join',
        `process ${route}`,
        `process ${route}`,
      ])
    })

    it('does not read binary messages by a selector', async () => {
      const data = [Buffer.from('{"type":"say"}')]
      expect(await told({ messageName: '$.type' }, data, (span) => span)).toEqual([`process ${route}`])
    })

    it('is what a function says of the payload', async () => {
      const asked: unknown[] = []
      const messageName = (data: Buffer, binary: boolean): string | undefined => {
        asked.push([data.toString(), binary])
        return binary ? 'audio' : undefined
      }
      expect(await told({ messageName }, ['text', Buffer.from('bytes')], (span) => span)).toEqual([
        `process ${route}`,
        'process audio',
      ])
      expect(asked).toEqual([
        ['text', false],
        ['bytes', true],
      ])
    })

    it.each([
      [
        'throws',
        () => {
          throw new Error('bad hook')
        },
      ],
      ['returns nonsense', () => ({ toString: 5 })],
    ])('is the route when the function %s', async (_what, messageName) => {
      expect(await told({ messageName }, ['x', 'y'], (span) => span)).toEqual([`process ${route}`, `process ${route}`])
    })

    it('is _OTHER beyond the limit of distinct names, and the original stays on the span', async () => {
      const data = ['a', 'b', 'c', 'a', 'd'].map((type) => JSON.stringify({ type }))
      const tell = (span: string, attributes: Record<string, unknown>): unknown[] => [
        span,
        attributes['websocket.message.name'],
        attributes['websocket.message.name_original'],
      ]
      expect(await told({ messageName: '$.type', maxMessageNames: 2 }, data, tell)).toEqual([
        ['process a', 'a', undefined],
        ['process b', 'b', undefined],
        ['process _OTHER', '_OTHER', 'c'],
        ['process a', 'a', undefined],
        ['process _OTHER', '_OTHER', 'd'],
      ])
      const rows = await fixture.telemetry.collect('websocket.server.message.process.duration')
      expect(rows.map((row) => [row.attributes, row.count])).toEqual([
        [{ 'websocket.route': route, 'websocket.message.name': 'a' }, 2],
        [{ 'websocket.route': route, 'websocket.message.name': 'b' }, 1],
        [{ 'websocket.route': route, 'websocket.message.name': '_OTHER' }, 2],
      ])
    })

    it.each([
      ['too long', 'x'.repeat(65), 'x'.repeat(65)],
      ['very long', 'y'.repeat(400), 'y'.repeat(128)],
      ['with line breaks', 'a\nb', 'a\nb'],
      ['with an escape sequence', '\u001b[31mred', '\u001b[31mred'],
      ['empty', '', ''],
    ])('that is %s is _OTHER', async (_what, type, original) => {
      const tell = (span: string, attributes: Record<string, unknown>): unknown[] => [
        span,
        attributes['websocket.message.name_original'],
      ]
      expect(await told({ messageName: '$.type' }, [JSON.stringify({ type })], tell)).toEqual([
        ['process _OTHER', original],
      ])
    })

    it('of members of every object is no name', async () => {
      const data = ['__proto__', 'constructor', 'hasOwnProperty'].map((key) => `{"${key}":1}`)
      expect(await told({ messageName: '$.type' }, data, (span) => span)).toEqual(Array(3).fill(`process ${route}`))
    })

    it('stands on what is sent too', async () => {
      const { client, socket } = await fixture.open({ telemetry: { messageName: '$.type' } })
      socket.send('{"type":"say"}')
      await client.next()
      const span = await fixture.telemetry.waitForSpan('send say')
      expect(span.attributes['websocket.message.name']).toBe('say')
    })

    it('stands on broadcasts too', async () => {
      const host = await fixture.serve({ telemetry: { messageName: '$.type' }, connection() {} })
      const clients = [await fixture.connect(host), await fixture.connect(host)]
      await fixture.telemetry.waitForSpan(`open ${route}`, 2)
      for (const socket of host.wss.clients) socket.send('{"type":"say"}')
      await Promise.all(clients.map((client) => client.next()))
      const span = await fixture.telemetry.waitForSpan('broadcast say')
      expect(span.attributes['websocket.message.name']).toBe('say')
    })
  })
}
