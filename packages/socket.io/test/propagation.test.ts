import { SpanKind } from '@opentelemetry/api'
import { traceSocketServer } from '@otel-ws/socket.io'
import { confirmContext, type Telemetry } from '@otel-ws/testkit'
import type { Socket as ServerSocket } from 'socket.io'
import type { Socket as ClientSocket } from 'socket.io-client'
import * as msgpack from 'socket.io-msgpack-parser'
import { describe, expect, it } from 'vitest'
import { useServers } from './server.ts'

const fixture = useServers()

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c'
const SPAN_ID = 'b7ad6b7169203331'
const INCOMING = { _otel: { traceparent: `00-${TRACE_ID}-${SPAN_ID}-01` } }
/** The server of a test fills in the host. */
const ASKING = { query: { 'otel-ws': '<host>' } }

type Span = ReturnType<Telemetry['span']>

/** The carrier of a span, as the last element of a packet. */
function carrierOf(span: Span, tracestate?: string): unknown {
  const { traceId, spanId } = span.spanContext()
  return { _otel: { traceparent: `00-${traceId}-${spanId}-01`, ...(tracestate !== undefined && { tracestate }) } }
}

/** All arguments of an event, as a client without telemetry receives them. */
function next(client: ClientSocket, event: string): Promise<unknown[]> {
  return new Promise((resolve) => client.once(event, (...args: unknown[]) => resolve(args)))
}

function joined(server: { io: { on(type: 'connection', listener: (socket: ServerSocket) => void): unknown } }) {
  return new Promise<ServerSocket>((resolve) => server.io.on('connection', resolve))
}

/** The data of the CONNECT packet of the server. */
function connectData(client: ClientSocket): Promise<unknown> {
  return new Promise((resolve) => {
    client.io.on('packet', (packet) => {
      if (packet.type === 0) resolve(packet.data)
    })
  })
}

describe('negotiation', () => {
  it('is answered in the CONNECT packet of each namespace', async () => {
    const server = await fixture.listen()
    traceSocketServer(server.io)
    server.io.of('/chat')
    for (const namespace of ['/', '/chat']) {
      const client = fixture.client(server, namespace, ASKING)
      const data = (await connectData(client)) as { sid: string; _otel: { id: string } }
      const handshake = fixture.telemetry.span(`CONNECT ${namespace}`)
      expect(data).toEqual({
        sid: expect.any(String),
        _otel: { v: 1, id: handshake.attributes['websocket.connection.id'] },
      })
    }
  })

  it('has no effect for a client that does not ask, nor where the option is off', async () => {
    for (const [telemetry, options] of [
      [{}, {}],
      [{}, { query: { 'otel-ws': '1' } }],
      [{}, { query: { 'otel-ws': '1;host=gateway.example' } }],
      [{ propagation: 'off' }, ASKING],
    ] as const) {
      const server = await fixture.listen()
      traceSocketServer(server.io, telemetry)
      const opened = joined(server)
      const client = fixture.client(server, '/', options)
      expect(await connectData(client)).toEqual({ sid: expect.any(String) })
      const socket = await opened
      const heard = new Promise((resolve) => socket.once('hello', (...args) => resolve(args)))
      client.emit('hello', INCOMING)
      expect(await heard).toEqual([INCOMING])
      const greeting = next(client, 'greeting')
      server.io.emit('greeting', 1)
      expect(await greeting).toEqual([1])
    }
    expect(fixture.telemetry.diagnostics.splice(0)).toEqual([expect.stringContaining('option authorities')])
  })

  it('has no effect on what is sent before the client has confirmed it', async () => {
    const server = await fixture.listen()
    traceSocketServer(server.io)
    const opened = joined(server)
    const client = fixture.client(server, '/', ASKING)
    const socket = await opened
    const received = [next(client, 'one'), next(client, 'two'), next(client, 'three')]
    const heard = new Promise((resolve) => socket.once('hello', (...args) => resolve(args)))
    client.emit('hello', INCOMING)
    expect(await heard).toEqual([INCOMING])
    socket.emit('one', 1)
    server.io.emit('two', 2)
    expect([await received[0], await received[1]]).toEqual([[1], [2]])
    const events: unknown[] = []
    socket.onAny((...args) => events.push(args))
    await confirmContext(client)
    socket.emit('three', 3)
    expect(await received[2]).toEqual([3, carrierOf(await fixture.telemetry.waitForSpan('send three'))])
    expect(events).toEqual([])
  })
})

describe.each([
  ['the default parser', {}],
  ['the msgpack parser', { parser: msgpack }],
])('with %s, context', (name, options) => {
  const hasExactSizes = name === 'the default parser'

  it('that arrives is the parent of the process span, and no listener sees it', async () => {
    const server = await fixture.listen(options)
    traceSocketServer(server.io)
    const seen: unknown[] = []
    server.io.on('connection', (socket) => {
      socket.onAny((...args) => seen.push(['any', ...args]))
      socket.use((event, pass) => {
        seen.push(['use', ...event])
        pass()
      })
      socket.on('hello', (...args) => {
        const ack = args.pop()
        seen.push(['on', ...args])
        ack('done')
      })
    })
    const client = await fixture.join(server, '/', { ...ASKING, ...options })
    const acknowledged = await client.emitWithAck('hello', { a: 1 }, Buffer.from([1, 2]), INCOMING)
    const bytes = Buffer.from([1, 2])
    expect(seen).toEqual([
      ['any', 'hello', { a: 1 }, bytes, expect.any(Function)],
      ['use', 'hello', { a: 1 }, bytes, expect.any(Function)],
      ['on', { a: 1 }, bytes],
    ])
    expect(acknowledged).toBe('done')
    const span = await fixture.telemetry.waitForSpan('process hello')
    expect(span.kind).toBe(SpanKind.SERVER)
    expect(span.parentSpanContext).toMatchObject({ traceId: TRACE_ID, spanId: SPAN_ID, isRemote: true })
    expect(span.links.map((link) => link.attributes)).toEqual([{ 'websocket.link.kind': 'handshake' }])
    if (hasExactSizes) {
      const packet = '51-0["hello",{"a":1},{"_placeholder":true,"num":0}]'
      expect(span.attributes['websocket.message.size']).toBe(packet.length + 2)
    }
  })

  it('of the send span is injected into an event', async () => {
    const server = await fixture.listen(options)
    traceSocketServer(server.io)
    const opened = joined(server)
    const client = await fixture.join(server, '/', { ...ASKING, ...options })
    const socket = await opened
    const outgoing: unknown[] = []
    socket.onAnyOutgoing((...args) => outgoing.push(args))
    const bytes = Buffer.from([1, 2])
    const received = next(client, 'news')
    socket.emit('news', { a: 1 }, bytes)
    const args = await received
    const span = await fixture.telemetry.waitForSpan('send news')
    expect(args).toEqual([{ a: 1 }, bytes, carrierOf(span)])
    expect(outgoing).toEqual([['news', { a: 1 }, bytes]])
    expect(span.kind).toBe(SpanKind.PRODUCER)
    expect(span.links).toHaveLength(1)
    expect(span.attributes['websocket.connection.id']).toBe(
      fixture.telemetry.span('CONNECT /').attributes['websocket.connection.id'],
    )
    if (hasExactSizes) {
      const packet = '51-["news",{"a":1},{"_placeholder":true,"num":0}]'
      expect(span.attributes['websocket.message.size']).toBe(packet.length + 2)
    }
  })

  it('is injected into an event that awaits an acknowledgement, and extracted from that', async () => {
    const server = await fixture.listen(options)
    traceSocketServer(server.io)
    const opened = joined(server)
    const client = await fixture.join(server, '/', { ...ASKING, ...options })
    const socket = await opened
    let carrier: unknown
    client.on('question', (_value, given, ack) => {
      carrier = given
      ack('yes', INCOMING)
    })
    const answers = await new Promise((resolve) => socket.emit('question', 1, (...all: unknown[]) => resolve(all)))
    expect(answers).toEqual(['yes'])
    const span = await fixture.telemetry.waitForSpan('send question')
    expect(span.kind).toBe(SpanKind.CLIENT)
    expect(carrier).toEqual(carrierOf(span))
  })

  it('of the process span is injected into the acknowledgement of an event', async () => {
    const server = await fixture.listen(options)
    traceSocketServer(server.io)
    server.io.on('connection', (socket) => socket.on('hello', (...args) => args.at(-1)()))
    const client = await fixture.join(server, '/', { ...ASKING, ...options })
    const answers = await new Promise((resolve) => client.emit('hello', (...all: unknown[]) => resolve(all)))
    expect(answers).toEqual([carrierOf(await fixture.telemetry.waitForSpan('process hello'))])
  })

  it('of a broadcast is injected once for all clients that negotiated it, and for no others', async () => {
    const server = await fixture.listen(options)
    traceSocketServer(server.io)
    const clients: ClientSocket[] = []
    for (const asking of [ASKING, {}, ASKING]) {
      clients.push(await fixture.join(server, '/', { ...asking, ...options }))
    }
    const bytes = Buffer.from([1, 2])
    const received = clients.map((client) => next(client, 'news'))
    server.io.emit('news', { a: 1 }, bytes)
    const [first, second, third] = await Promise.all(received)
    const span = await fixture.telemetry.waitForSpan('broadcast news')
    expect(first).toEqual([{ a: 1 }, bytes, carrierOf(span, 'otelws=b')])
    expect(second).toEqual([{ a: 1 }, bytes])
    expect(third).toEqual(first)
    expect(span.attributes).toMatchObject({ 'websocket.broadcast.recipients': 3 })
    if (hasExactSizes) {
      const packet = '51-["news",{"a":1},{"_placeholder":true,"num":0}]'
      expect(span.attributes['websocket.message.size']).toBe(packet.length + 2)
    }
  })
})

describe('context', () => {
  it('of one namespace is not used in another namespace of the same client', async () => {
    const server = await fixture.listen()
    traceSocketServer(server.io, { ignore: { routes: ['/plain'] } })
    server.io.of('/plain')
    const agreed = await fixture.join(server, '/', ASKING)
    const plain = agreed.io.socket('/plain').connect()
    await new Promise((resolve) => plain.once('connect', () => resolve(undefined)))
    const received = next(plain, 'news')
    server.io.of('/plain').emit('news', 1)
    expect(await received).toEqual([1])
  })

  it('is injected into events of a client that can recover them, and into those that it recovers', async () => {
    const server = await fixture.listen({ connectionStateRecovery: {} })
    traceSocketServer(server.io)
    const opened = joined(server)
    const client = await fixture.join(server, '/', ASKING)
    const socket = await opened
    const received = next(client, 'news')
    socket.emit('news', 1)
    const args = await received
    const span = await fixture.telemetry.waitForSpan('send news')
    expect(args).toEqual([1, expect.any(String), carrierOf(span)])
  })

  it('is an empty carrier where the last argument looks like a carrier and no span is active', async () => {
    const server = await fixture.listen()
    traceSocketServer(server.io, { messages: false })
    const opened = joined(server)
    const client = await fixture.join(server, '/', ASKING)
    const socket = await opened
    const received = [next(client, 'one'), next(client, 'two'), next(client, 'three')]
    socket.emit('one', INCOMING)
    socket.emit('two', { ...INCOMING, more: 1 })
    server.io.emit('three', INCOMING)
    expect(await Promise.all(received)).toEqual([
      [INCOMING, { _otel: {} }],
      [{ ...INCOMING, more: 1 }],
      [INCOMING, { _otel: {} }],
    ])
  })

  it.each([
    ['a text', { _otel: 'mine' }, undefined],
    ['more members', { ...INCOMING, more: 1 }, undefined],
    ['a member that no carrier has', { _otel: { ...INCOMING._otel, more: '1' } }, 'malformed'],
    ['a value that is no text', { _otel: { traceparent: 1 } }, 'malformed'],
    ['a value beyond the limit', { _otel: { baggage: 'x'.repeat(2000) } }, 'malformed'],
    ['__proto__', JSON.parse('{"_otel":{"__proto__":{"polluted":1}}}'), 'malformed'],
  ])('is not taken from %s', async (_, last, problem) => {
    const server = await fixture.listen()
    traceSocketServer(server.io)
    const opened = joined(server)
    const client = await fixture.join(server, '/', ASKING)
    const socket = await opened
    const heard = new Promise((resolve) => socket.once('hello', (...args) => resolve(args)))
    client.emit('hello', last)
    expect(await heard).toEqual([last])
    const span = await fixture.telemetry.waitForSpan('process hello')
    expect(span.parentSpanContext).toBeUndefined()
    expect(span.attributes['websocket.message.carrier.error']).toBe(problem)
    expect(fixture.telemetry.diagnostics.splice(0)).toHaveLength(problem === undefined ? 0 : 1)
    expect(Object.prototype).not.toHaveProperty('polluted')
  })
})
