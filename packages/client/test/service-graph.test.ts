import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SpanKind } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { type ClientOptions, traceHeaders, traceWebSocket } from '@otel-ws/client'
import { traceSocket } from '@otel-ws/client/socket.io'
import { traceSocketServer } from '@otel-ws/socket.io'
import { type GraphSpan, Telemetry, unpairedSpans } from '@otel-ws/testkit'
import { broadcast, traceWebSocketServer, type WebSocketServerOptions } from '@otel-ws/ws'
import { Server } from 'socket.io'
import { connect } from 'socket.io-client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type WebSocketServer, WebSocket as WsClient } from 'ws'
import { close, listen } from './clients.ts'

/** What the two generations of service graphs leave without a partner. */
function unpaired(telemetry: Telemetry): [byParents: string[], byLinks: string[]] {
  const spans = telemetry.spans().map((span): GraphSpan => {
    const parentSpanId = span.parentSpanContext?.spanId
    return { name: span.name, kind: span.kind, context: span.spanContext(), parentSpanId, links: span.links }
  })
  return [unpairedSpans(spans, false), unpairedSpans(spans, true)]
}

describe('a service graph', () => {
  let telemetry: Telemetry
  let wss: WebSocketServer
  let url: string

  beforeEach(async () => {
    telemetry = new Telemetry()
    telemetry.install()
    ;({ wss, url } = await listen())
  })

  afterEach(async () => {
    await close(wss)
    await telemetry.uninstall()
  })

  /** A server that answers, pushes and sends to all: in a loop, and by `broadcast()`. */
  function serve(options: WebSocketServerOptions = {}): void {
    traceWebSocketServer(wss, options)
    wss.on('connection', (socket) => {
      socket.on('message', (data) => {
        const text = String(data)
        if (text.includes('loop')) for (const client of wss.clients) client.send('{"type":"news"}')
        else if (text.includes('broadcast')) broadcast(wss.clients, '{"type":"news"}')
        else socket.send(text)
      })
    })
  }

  async function open(traced: ClientOptions | undefined): Promise<WsClient> {
    const client =
      traced === undefined
        ? new WsClient(url)
        : traceWebSocket(new WsClient(url, { headers: traceHeaders(url, traced) }), traced)
    await once(client, 'open')
    return client
  }

  const received = (clients: readonly WsClient[]) => Promise.all(clients.map((client) => once(client, 'message')))

  /** Opens three clients, which the server answers and sends to; resolves when all spans have ended. */
  async function talk(traced: ClientOptions | undefined): Promise<void> {
    const clients: WsClient[] = []
    for (let n = 0; n < 3; n++) clients.push(await open(traced))
    const [first] = clients as [WsClient]
    for (const text of ['{"type":"ask"}', 'plain']) {
      first.send(text)
      await once(first, 'message')
    }
    for (const way of ['loop', 'broadcast']) {
      const all = received(clients)
      first.send(`{"type":"${way}"}`)
      await all
    }
    for (const client of clients) {
      client.close(1000)
      await once(client, 'close')
    }
    const ends = traced === undefined ? 1 : 2
    await telemetry.waitUntil(
      () => telemetry.names().filter((name) => name === 'close').length === 3 * ends,
      'the closes',
    )
    await telemetry.waitUntil(() => telemetry.openSpans().length === 0, 'the end of every span')
  }

  it('has no edge but handshakes where no client is traced', async () => {
    serve()
    await talk(undefined)
    const handshakes = Array(3).fill('GET')
    expect(unpaired(telemetry)).toEqual([handshakes, handshakes])
    expect(new Set(telemetry.spans('process').map(({ kind }) => kind))).toEqual(new Set([SpanKind.INTERNAL]))
  })

  it('has an edge with two ends for each message, and at most one for a broadcast, where both ends are traced', async () => {
    serve()
    await talk({})
    expect(unpaired(telemetry)).toEqual([[], []])
    const kindsOf = (name: string) => telemetry.spans(name).map(({ kind }) => SpanKind[kind])
    // Asked and answered with a context; as plain text, without; and the two messages that ask for broadcasts.
    expect(kindsOf('send').sort()).toEqual(['INTERNAL', 'INTERNAL', ...Array(4).fill('PRODUCER')])
    expect(kindsOf('broadcast').sort()).toEqual(['INTERNAL', 'PRODUCER'])
    const broadcasts = new Map(telemetry.spans('broadcast').map((span) => [span.spanContext().spanId, span]))
    const children = (of: ReadableSpan) =>
      telemetry.spans('process').filter((span) => span.parentSpanContext?.spanId === of.spanContext().spanId)
    for (const span of broadcasts.values()) expect(children(span)).toHaveLength(3)
  })

  it("has the kinds of messaging with spanKinds: 'messaging'", async () => {
    serve({ spanKinds: 'messaging' })
    await talk({ spanKinds: 'messaging' })
    const kinds = (name: string) => new Set(telemetry.spans(name).map(({ kind }) => SpanKind[kind]))
    expect([kinds('process'), kinds('send'), kinds('broadcast')]).toEqual([
      new Set(['CONSUMER']),
      new Set(['PRODUCER']),
      new Set(['PRODUCER']),
    ])
    for (const span of telemetry.spans('process')) expect(span.links).toHaveLength(1)
  })

  it('has two ends for each edge of Socket.IO, acknowledgements included', async () => {
    const http = createServer()
    const io = new Server(http)
    traceSocketServer(io)
    io.on('connection', (socket) => {
      socket.on('ask', (answer: (text: string) => void) => answer('yes'))
      socket.on('hello', () => socket.emit('hello'))
      socket.on('spread', () => io.emit('news'))
      socket.on('poll', async () => socket.emit('polled', await io.timeout(10_000).emitWithAck('question')))
      socket.on('question', async () => socket.emit('answered', await socket.emitWithAck('question')))
    })
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    const address = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
    const clients = Array.from({ length: 3 }, () =>
      traceSocket(connect(address, { forceNew: true, autoConnect: false })),
    )
    const next = (index: number, event: string) => new Promise((resolve) => clients[index]?.once(event, resolve))
    for (const client of clients) {
      client.on('question', (answer: (text: string) => void) => answer('no'))
      const connected = new Promise<void>((resolve) => client.once('connect', () => resolve()))
      client.connect()
      await connected
    }
    await clients[0]?.emitWithAck('ask')
    for (const [event, answer] of [
      ['hello', 'hello'],
      ['question', 'answered'],
      ['poll', 'polled'],
    ] as const) {
      const answered = next(0, answer)
      clients[0]?.emit(event)
      await answered
    }
    const news = [0, 1, 2].map((index) => next(index, 'news'))
    clients[0]?.emit('spread')
    await Promise.all(news)
    for (const client of clients) client.disconnect()
    await telemetry.waitUntil(
      () => telemetry.names().filter((name) => name.startsWith('close')).length >= 6,
      'the closes of both ends',
    )
    await io.close()
    await telemetry.waitUntil(() => telemetry.openSpans().length === 0, 'the end of every span')
    // The first request of the transport is a handshake of its own, before the namespace's.
    const rest = unpaired(telemetry).map((names) => names.filter((name) => !/^(GET|CONNECT|connect)\b/.test(name)))
    expect(rest).toEqual([[], []])
    expect(telemetry.spans('send ask').map(({ kind }) => SpanKind[kind])).toEqual(['CLIENT'])
  })
})
