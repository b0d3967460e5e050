import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import type { WebSocket } from 'ws'
import type { Fixture } from '../fixture.ts'
import { closePayload, encodeFrame, OPCODE } from '../frames.ts'
import type { Harness } from '../harness.ts'
import type { RawClient } from '../raw-client.ts'
import { linkTo } from '../telemetry.ts'

interface CloseCase {
  readonly act: (peer: RawClient, socket: WebSocket) => unknown
  readonly code: number
  readonly category: string
  readonly initiator: 'local' | 'remote' | 'network'
  /** The close is an error by default: `error.type` is its category. */
  readonly error?: true
  /** Close code that the server's own `close` event says, where it differs. */
  readonly misreported?: number
}

const closeWith =
  (code: number, reason?: string) =>
  (peer: RawClient): void =>
    peer.send(OPCODE.close, closePayload(code, reason))

/** Section 7 of the design as a table: what happens on the wire, and what must be told. */
export const closeCases: Readonly<Record<string, CloseCase>> = {
  'peer: 1000': { act: closeWith(1000), code: 1000, category: 'normal', initiator: 'remote' },
  'peer: no code': { act: (peer) => peer.send(OPCODE.close), code: 1005, category: 'no_status', initiator: 'remote' },
  'peer: 1001': { act: closeWith(1001), code: 1001, category: 'going_away', initiator: 'remote' },
  'peer: 1003': { act: closeWith(1003), code: 1003, category: 'protocol_error', initiator: 'remote', error: true },
  'peer: 1008': { act: closeWith(1008), code: 1008, category: 'policy', initiator: 'remote' },
  'peer: 1009': { act: closeWith(1009), code: 1009, category: 'too_big', initiator: 'remote', error: true },
  'peer: 1011': { act: closeWith(1011), code: 1011, category: 'server_error', initiator: 'remote', error: true },
  'peer: 1012': { act: closeWith(1012), code: 1012, category: 'restart', initiator: 'remote' },
  'peer: 3000': { act: closeWith(3000), code: 3000, category: 'application', initiator: 'remote' },
  'peer: 4999': { act: closeWith(4999), code: 4999, category: 'application', initiator: 'remote' },
  'local: 1000': { act: (_, socket) => socket.close(1000), code: 1000, category: 'normal', initiator: 'local' },
  'local: no code': { act: (_, socket) => socket.close(), code: 1005, category: 'no_status', initiator: 'local' },
  'local: 1001': { act: (_, socket) => socket.close(1001), code: 1001, category: 'going_away', initiator: 'local' },
  'local: 1008': { act: (_, socket) => socket.close(1008), code: 1008, category: 'policy', initiator: 'local' },
  'local: 1011': {
    act: (_, socket) => socket.close(1011),
    code: 1011,
    category: 'server_error',
    initiator: 'local',
    error: true,
  },
  'local: 1013': { act: (_, socket) => socket.close(1013), code: 1013, category: 'restart', initiator: 'local' },
  'local: 4001': { act: (_, socket) => socket.close(4001), code: 4001, category: 'application', initiator: 'local' },
  'local: close twice': {
    act(_, socket) {
      socket.close(4001)
      socket.close(4002)
    },
    code: 4001,
    category: 'application',
    initiator: 'local',
  },
  'both at once, our frame first': {
    act(peer, socket) {
      socket.once('message', () => socket.close(4001))
      peer.write(encodeFrame(OPCODE.text, 'bye'), encodeFrame(OPCODE.close, closePayload(4002)))
    },
    code: 4001,
    category: 'application',
    initiator: 'local',
    misreported: 4002,
  },
  'local: close, then terminate': {
    act(_, socket) {
      socket.close(1001)
      socket.terminate()
    },
    code: 1001,
    category: 'going_away',
    initiator: 'local',
    misreported: 1006,
  },
  'local: terminate': { act: (_, socket) => socket.terminate(), code: 1006, category: 'abnormal', initiator: 'local' },
  'network: reset': { act: (peer) => peer.reset(), code: 1006, category: 'abnormal', initiator: 'network' },
  'network: end without a close frame': {
    act: (peer) => peer.end(),
    code: 1006,
    category: 'abnormal',
    initiator: 'network',
  },
  'message too big': {
    act: (peer) => peer.send(OPCODE.binary, Buffer.alloc(2000)),
    code: 1009,
    category: 'too_big',
    initiator: 'local',
    error: true,
    misreported: 1006,
  },
  'fragments too big': {
    act: (peer) =>
      peer.write(
        encodeFrame(OPCODE.binary, Buffer.alloc(600), { fin: false }),
        encodeFrame(OPCODE.continuation, Buffer.alloc(600)),
      ),
    code: 1009,
    category: 'too_big',
    initiator: 'local',
    error: true,
    misreported: 1006,
  },
  'bad UTF-8': {
    act: (peer) => peer.send(OPCODE.text, Buffer.from([0xc3, 0x28])),
    code: 1007,
    category: 'protocol_error',
    initiator: 'local',
    error: true,
    misreported: 1006,
  },
  'unmasked frame': {
    act: (peer) => peer.send(OPCODE.text, 'x', { masked: false }),
    code: 1002,
    category: 'protocol_error',
    initiator: 'local',
    error: true,
    misreported: 1006,
  },
  'unknown opcode': {
    act: (peer) => peer.send(3, 'x'),
    code: 1002,
    category: 'protocol_error',
    initiator: 'local',
    error: true,
    misreported: 1006,
  },
  'reserved bit': {
    act: (peer) => peer.send(OPCODE.text, 'x', { reserved: 4 }),
    code: 1002,
    category: 'protocol_error',
    initiator: 'local',
    error: true,
    misreported: 1006,
  },
  'fragmented ping': {
    act: (peer) => peer.send(OPCODE.ping, 'x', { fin: false }),
    code: 1002,
    category: 'protocol_error',
    initiator: 'local',
    error: true,
    misreported: 1006,
  },
  'continuation of nothing': {
    act: (peer) => peer.send(OPCODE.continuation, 'x'),
    code: 1002,
    category: 'protocol_error',
    initiator: 'local',
    error: true,
    misreported: 1006,
  },
  'close frame of one byte': {
    act: (peer) => peer.send(OPCODE.close, Buffer.from([3])),
    code: 1002,
    category: 'protocol_error',
    initiator: 'local',
    error: true,
    misreported: 1006,
  },
  'close frame with a reserved code': {
    act: closeWith(1005),
    code: 1002,
    category: 'protocol_error',
    initiator: 'local',
    error: true,
    misreported: 1006,
  },
  'close frame with a bad reason': {
    act: (peer) => peer.send(OPCODE.close, Buffer.concat([closePayload(1000), Buffer.from([0xff])])),
    code: 1007,
    category: 'protocol_error',
    initiator: 'local',
    error: true,
    misreported: 1006,
  },
}

export function closeTests(harness: Harness, fixture: Fixture): void {
  const { route } = harness
  const name = `close ${route}`
  const server = { maxPayload: 1000 }

  describe('close', () => {
    it.each(Object.keys(closeCases))('is told truly: %s', async (which) => {
      const { act, code, category, initiator, error, misreported = code } = closeCases[which] as CloseCase
      let accepted: (socket: WebSocket) => void = () => {}
      const connected = new Promise<WebSocket>((resolve) => {
        accepted = resolve
      })
      const closed = new Promise<number>((resolve) => {
        void connected.then((socket) => socket.once('close', resolve))
      })
      const host = await fixture.serve({
        telemetry: {},
        server,
        connection(socket) {
          socket.on('error', () => {})
          accepted(socket)
        },
      })
      const peer = await fixture.rawConnect(host)
      const socket = await connected
      const connection = host.connectionOf(socket)
      void answerClose(peer)
      act(peer, socket)
      expect(await closed).toBe(misreported)
      const span = await fixture.telemetry.waitForSpan(name)
      const handshake = fixture.telemetry.span(`GET ${route}`)
      expect(span.kind).toBe(SpanKind.INTERNAL)
      expect(span.parentSpanContext).toBeUndefined()
      expect(span.links).toEqual([linkTo(handshake)])
      const received = which.startsWith('both') ? { messages: 1, bytes: 3 } : { messages: 0, bytes: 0 }
      expect(span.attributes).toEqual({
        'network.protocol.name': 'websocket',
        'network.transport': 'tcp',
        'websocket.connection.id': connection?.id,
        'websocket.route': route,
        'websocket.close.code': code,
        'websocket.close.category': category,
        'websocket.close.initiator': initiator,
        'websocket.connection.duration': expect.any(Number),
        'websocket.connection.messages.received': received.messages,
        'websocket.connection.messages.sent': 0,
        'websocket.connection.bytes.received': received.bytes,
        'websocket.connection.bytes.sent': 0,
        ...(error ? { 'error.type': category } : {}),
      })
      expect(span.status.code).toBe(error ? SpanStatusCode.ERROR : SpanStatusCode.UNSET)

      await fixture.settle()
      expect(fixture.telemetry.spans(name)).toHaveLength(1)
      const rows = await fixture.telemetry.collect('websocket.server.connection.duration')
      const label = code >= 4000 ? '4xxx' : code >= 3000 ? '3xxx' : code
      expect(rows.map(({ unit, attributes, count }) => ({ unit, attributes, count }))).toEqual([
        {
          unit: 's',
          attributes: {
            'websocket.route': route,
            'websocket.close.code': label,
            'websocket.close.category': category,
            'websocket.close.initiator': initiator,
          },
          count: 1,
        },
      ])
    })

    it('by the server going down is one record per connection', async () => {
      const host = await fixture.serve({ telemetry: {}, connection() {} })
      const clients = await Promise.all([fixture.connect(host), fixture.connect(host), fixture.connect(host)])
      await fixture.telemetry.waitForSpan(`open ${route}`, 3)
      for (const socket of host.wss.clients) socket.close(1001, 'restarting')
      expect(await Promise.all(clients.map((client) => client.closed))).toEqual(
        Array(3).fill({ code: 1001, reason: 'restarting' }),
      )
      await fixture.settle()
      const told = fixture.telemetry
        .spans(name)
        .map((span) => [span.attributes['websocket.close.code'], span.attributes['websocket.close.initiator']])
      expect(told).toEqual(Array(3).fill([1001, 'local']))
    })

    it('emitted again by somebody is still one record', async () => {
      const { client, socket } = await fixture.open({ telemetry: {} })
      await client.close(1000)
      await fixture.telemetry.waitForSpan(name)
      socket.emit('close', 1011, Buffer.alloc(0))
      await fixture.settle()
      expect(fixture.telemetry.span(name).attributes['websocket.close.code']).toBe(1000)
      const [duration, ...more] = await fixture.telemetry.collect('websocket.server.connection.duration')
      expect([duration?.count, more]).toEqual([1, []])
    })

    it('counts what went over the connection', async () => {
      const { client } = await fixture.open({
        telemetry: {},
        connection(socket) {
          socket.on('message', (data) => {
            socket.send(data)
            socket.send('h\u00e9')
          })
        },
      })
      client.send('12345')
      await client.next()
      await client.next()
      client.send(Buffer.alloc(10))
      await client.next()
      await client.next()
      await client.close(1000)
      const { attributes } = await fixture.telemetry.waitForSpan(name)
      expect(attributes).toMatchObject({
        'websocket.connection.messages.received': 2,
        'websocket.connection.bytes.received': 15,
        'websocket.connection.messages.sent': 4,
        'websocket.connection.bytes.sent': 21,
      })
    })

    it('tells the duration of the connection', async () => {
      const before = performance.now()
      const { client } = await fixture.open({
        telemetry: {},
        connection(socket) {
          socket.on('message', (data) => socket.send(data))
        },
      })
      const opened = performance.now()
      client.send('a round trip')
      await client.next()
      const atLeast = (performance.now() - opened) / 1e3
      await client.close(1000)
      const span = await fixture.telemetry.waitForSpan(name)
      const atMost = (performance.now() - before) / 1e3
      expect(span.attributes['websocket.connection.duration']).toBeGreaterThanOrEqual(atLeast)
      expect(span.attributes['websocket.connection.duration']).toBeLessThanOrEqual(atMost)
      const [row] = await fixture.telemetry.collect('websocket.server.connection.duration')
      expect(row?.sum).toBeCloseTo(span.attributes['websocket.connection.duration'] as number, 6)
    })

    it('keeps its reason to itself unless asked, and then cuts it', async () => {
      const reason = 'because '.repeat(15)
      const quiet = await fixture.open({ telemetry: {} })
      await quiet.client.close(4000, reason)
      const silent = await fixture.telemetry.waitForSpan(name)
      expect(JSON.stringify(silent.attributes)).not.toContain('because')
      const told = await fixture.open({ telemetry: { closeReason: true } })
      await told.client.close(4000, reason)
      expect((await fixture.telemetry.waitForSpan(name, 2)).attributes['websocket.close.reason']).toBe(reason)
      const local = await fixture.open({ telemetry: { closeReason: true } })
      local.socket.close(4000, 'ours')
      expect((await fixture.telemetry.waitForSpan(name, 3)).attributes['websocket.close.reason']).toBe('ours')
    })

    it('is an error where the application says so', async () => {
      const { client } = await fixture.open({ telemetry: { closeErrors: ['application'], closeCodes: [4401] } })
      await client.close(4401)
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.status.code).toBe(SpanStatusCode.ERROR)
      const [row] = await fixture.telemetry.collect('websocket.server.connection.duration')
      expect(row?.attributes['websocket.close.code']).toBe(4401)
    })

    it('of one connection for a bad frame changes nothing for another', async () => {
      const host = await fixture.serve({
        telemetry: {},
        server,
        connection(socket) {
          socket.on('error', () => {})
          socket.on('message', (data) => socket.send(data.toString()))
        },
      })
      const good = await fixture.connect(host)
      const bad = await fixture.rawConnect(host)
      bad.send(OPCODE.text, 'x', { masked: false })
      await bad.closed
      await fixture.telemetry.waitForSpan(name)
      good.send('still here')
      expect(await good.next()).toBe('still here')
    })
  })
}

/** A peer answers the server's close frame, as RFC 6455 asks. */
async function answerClose(peer: RawClient): Promise<void> {
  try {
    for (;;) {
      const frame = await peer.nextFrame()
      if (frame.opcode !== OPCODE.close) continue
      peer.send(OPCODE.close, frame.payload)
      return
    }
  } catch {
    // The connection ended without one.
  }
}
