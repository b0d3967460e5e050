import { describe, expect, it } from 'vitest'
import { encodeFrame, OPCODE } from '../../testing/frames.ts'
import { type Fixture, listen } from '../fixture.ts'
import type { Harness, HostSocket } from '../harness.ts'

const MALFORMED = 'websocket.message.malformed'

export function namingTests(harness: Harness, fixture: Fixture): void {
  const { route } = harness

  /** Sends messages and returns the description of the process span of each, in order. */
  async function processed<T>(
    telemetry: Record<string, unknown>,
    messages: (string | Buffer)[],
    describeSpan: (name: string, attributes: Record<string, unknown>) => T,
  ): Promise<T[]> {
    const host = await fixture.serve({
      telemetry,
      connection: listen,
    })
    const client = await fixture.rawConnect(host)
    client.write(...messages.map((data) => encodeFrame(typeof data === 'string' ? OPCODE.text : OPCODE.binary, data)))
    const spans = () => fixture.telemetry.spans().filter((span) => span.name.startsWith('process'))
    await fixture.telemetry.waitUntil(() => spans().length === messages.length, `${messages.length} process spans`)
    return spans().map((span) => describeSpan(span.name, span.attributes))
  }

  describe('a text without a name', () => {
    it('is marked if it is no JSON, where a selector would read its name', async () => {
      const texts = ['plain', '{"type":', '{}', '42', `{"a":"${'x'.repeat(5000)}"}`, `no${'x'.repeat(5000)}`]
      const marks = await processed({ messageName: '$.type' }, texts, (_, attributes) => attributes[MALFORMED])
      expect(marks).toEqual(['json', 'json', undefined, undefined, undefined, 'json'])
    })

    it('is not marked without a selector, nor with a name, nor if it is binary', async () => {
      const unmarked = async (telemetry: Record<string, unknown>, messages: (string | Buffer)[]) =>
        expect(await processed(telemetry, messages, (_, attributes) => attributes[MALFORMED])).toEqual([undefined])
      await unmarked({ messageName: () => undefined }, ['plain'])
      await unmarked({ messageName: '$.type' }, [Buffer.from('plain')])
    })
  })

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
      const spans = await processed({ messageName: '$.type' }, [data], (span, attributes) => [
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
      const spans = await processed({ messageName: '$.type' }, [data], (span, attributes) => [
        span,
        attributes['websocket.message.name'],
      ])
      expect(spans).toEqual([[`process ${route}`, undefined]])
    })

    it('is an element of an array', async () => {
      const data = ['[2,"7","join","room:1",{}]', '["a"]', '{"2":"no"}']
      expect(await processed({ messageName: '$[2]' }, data, (span) => span)).toEqual([
        'process join',
        `process ${route}`,
        `process ${route}`,
      ])
    })

    it('does not read binary messages by a selector', async () => {
      const data = [Buffer.from('{"type":"say"}')]
      expect(await processed({ messageName: '$.type' }, data, (span) => span)).toEqual([`process ${route}`])
    })

    it('is what a function of the payload returns', async () => {
      const payloads: unknown[] = []
      const messageName = (data: Buffer, binary: boolean): string | undefined => {
        payloads.push([data.toString(), binary])
        return binary ? 'audio' : undefined
      }
      expect(await processed({ messageName }, ['text', Buffer.from('bytes')], (span) => span)).toEqual([
        `process ${route}`,
        'process audio',
      ])
      expect(payloads).toEqual([
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
      expect(await processed({ messageName }, ['x', 'y'], (span) => span)).toEqual([
        `process ${route}`,
        `process ${route}`,
      ])
    })

    it('is _OTHER beyond the limit of distinct names, and the original stays on the span', async () => {
      const data = ['a', 'b', 'c', 'a', 'd'].map((type) => JSON.stringify({ type }))
      const originals = (span: string, attributes: Record<string, unknown>): unknown[] => [
        span,
        attributes['websocket.message.name'],
        attributes['websocket.message.name_original'],
      ]
      expect(await processed({ messageName: '$.type', maxMessageNames: 2 }, data, originals)).toEqual([
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
      const originals = (span: string, attributes: Record<string, unknown>): unknown[] => [
        span,
        attributes['websocket.message.name_original'],
      ]
      expect(await processed({ messageName: '$.type' }, [JSON.stringify({ type })], originals)).toEqual([
        ['process _OTHER', original],
      ])
    })

    it('is not a member that every object inherits', async () => {
      const data = ['__proto__', 'constructor', 'hasOwnProperty'].map((key) => `{"${key}":1}`)
      expect(await processed({ messageName: '$.type' }, data, (span) => span)).toEqual(
        Array(3).fill(`process ${route}`),
      )
    })

    it('is on sends too', async () => {
      const { client, socket } = await fixture.open({ telemetry: { messageName: '$.type' } })
      socket.send('{"type":"say"}')
      await client.next()
      const span = await fixture.telemetry.waitForSpan('send say')
      expect(span.attributes['websocket.message.name']).toBe('say')
    })

    it('is on broadcasts too', async () => {
      const sockets: HostSocket[] = []
      const host = await fixture.serve({
        telemetry: { messageName: '$.type' },
        connection: (socket) => void sockets.push(socket),
      })
      const clients = [await fixture.connect(host), await fixture.connect(host)]
      await fixture.telemetry.waitForSpan(`open ${route}`, 2)
      for (const socket of sockets) socket.send('{"type":"say"}')
      await Promise.all(clients.map((client) => client.next()))
      const span = await fixture.telemetry.waitForSpan('broadcast say')
      expect(span.attributes['websocket.message.name']).toBe('say')
    })
  })
}
