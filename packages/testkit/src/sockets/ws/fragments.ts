import { describe, expect, it } from 'vitest'
import { delay, SLACK } from '../../shared/durations.ts'
import { OPCODE } from '../../testing/frames.ts'
import type { Harness } from '../harness.ts'
import type { WsFixture } from '../ws-fixture.ts'

/** Messages in fragments, and option `frames`. */
export function fragmentTests({ route }: Harness, fixture: WsFixture): void {
  const name = `send ${route}`

  describe('fragments of ws', () => {
    it('that are sent are one message', async () => {
      const { client, socket } = await fixture.open()
      socket.send('he', { fin: false })
      socket.send('ll', { fin: false })
      socket.send('o', { fin: true })
      socket.send('next')
      expect([await client.next(), await client.next()]).toEqual(['hello', 'next'])
      await fixture.telemetry.waitForSpan(name, 2)
      await fixture.settle()
      const messages = fixture.telemetry
        .spans(name)
        .map((span) => [span.attributes['websocket.message.sequence'], span.attributes['websocket.message.size']])
      expect(messages).toEqual([
        [1, 5],
        [2, 4],
      ])
      const close = fixture.telemetry.span(`close ${route}`)
      expect(close.attributes['websocket.connection.messages.sent']).toBe(2)
      expect(close.attributes['websocket.connection.bytes.sent']).toBe(9)
    })

    it('that are received are counted with option frames, with the time that they took to come', async () => {
      const host = await fixture.serve({
        telemetry: { frames: true },
        connection(socket) {
          socket.on('message', () => {})
        },
      })
      const client = await fixture.rawConnect(host)
      client.send(OPCODE.text, 'whole')
      const whole = await fixture.telemetry.waitForSpan(`process ${route}`)
      expect(whole.attributes['websocket.message.frames']).toBe(1)
      client.send(OPCODE.text, 'in ', { fin: false })
      await delay(30)
      client.send(OPCODE.continuation, 'pie', { fin: false })
      client.send(OPCODE.continuation, 'ces')
      const pieces = await fixture.telemetry.waitForSpan(`process ${route}`, 2)
      expect(pieces.attributes['websocket.message.frames']).toBe(3)
      expect(pieces.attributes['websocket.message.receive_time']).toBeGreaterThan(0)
    })

    it('that are sent are counted with option frames, with the time until they were flushed', async () => {
      const { client, socket } = await fixture.open({ telemetry: { frames: true } })
      socket.send('whole')
      await client.next()
      const whole = await fixture.telemetry.waitForSpan(name)
      expect(whole.attributes['websocket.message.frames']).toBe(1)
      expect(whole.attributes['websocket.message.send_time']).toBeGreaterThan(0)
      socket.send('in ', { fin: false })
      await delay(30)
      socket.send('pieces', { fin: true })
      expect(await client.next()).toBe('in pieces')
      const pieces = await fixture.telemetry.waitForSpan(name, 2)
      expect(pieces.attributes['websocket.message.frames']).toBe(2)
      expect(pieces.attributes['websocket.message.send_time']).toBeGreaterThanOrEqual((30 - SLACK) / 1e3)
    })

    it('of control frames are not traced', async () => {
      const host = await fixture.serve({
        connection(socket) {
          socket.ping()
          socket.pong('unasked')
        },
      })
      const client = await fixture.rawConnect(host)
      expect([(await client.nextFrame()).opcode, (await client.nextFrame()).opcode]).toEqual([OPCODE.ping, OPCODE.pong])
      await fixture.settle()
      expect(fixture.telemetry.names()).toEqual([`GET ${route}`, `close ${route}`, `open ${route}`])
    })
  })
}
