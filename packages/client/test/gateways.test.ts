import { once } from 'node:events'
import { createServer, type IncomingMessage, request as sendRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { TracerProvider } from '@opentelemetry/sdk-trace'
import { connectionOf, traceHeaders, traceUrl, traceWebSocket } from '@otel-ws/client'
import { traceSocket } from '@otel-ws/client/socket.io'
import { traceSocketServer } from '@otel-ws/socket.io'
import { Telemetry } from '@otel-ws/testkit'
import { connectionOf as serverConnectionOf, traceWebSocketServer, type WebSocketServerOptions } from '@otel-ws/ws'
import { Server } from 'socket.io'
import { connect as connectSocketIo } from 'socket.io-client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket as WsClient, type WebSocket as WsSocket } from 'ws'
import { close, kinds, listen } from './clients.ts'

let telemetry: Telemetry
let ends: (() => unknown)[]

beforeEach(() => {
  telemetry = new Telemetry()
  telemetry.install()
  ends = []
})

afterEach(async () => {
  for (const end of ends.reverse()) await end()
  await telemetry.waitUntil(() => telemetry.openSpans().length === 0, 'the end of every span')
  await telemetry.uninstall()
})

type Connect = (url: string) => WebSocket

/** How traced clients offer context in messages. */
const clients: readonly (readonly [string, Connect])[] = [
  ...kinds.map(({ name, connect }) => [`${name}, in the query`, (url: string) => connect(traceUrl(url))] as const),
  ['ws, in a header', (url) => new WsClient(url, { headers: traceHeaders(url) }) as unknown as WebSocket],
]

/** A server of the application that answers each message, and says hello. */
async function serve(options: WebSocketServerOptions = {}): Promise<{ url: string; seen: string[] }> {
  const { wss, url } = await listen()
  ends.push(() => close(wss))
  traceWebSocketServer(wss, options)
  const seen: string[] = []
  wss.on('connection', (socket) => {
    socket.send('{"hello":"world"}')
    socket.on('message', (data) => {
      seen.push(data.toString())
      socket.send(`{"echo":${data}}`)
    })
  })
  return { url, seen }
}

/** The messages of an application that sends one itself after it has been sent one, until the answer is there. */
async function talk(socket: WebSocket, messages: string[] = []): Promise<string[]> {
  ends.push(() => socket.close())
  await new Promise<void>((resolve) => {
    socket.addEventListener('message', ({ data }) => {
      messages.push(String(data))
      if (messages.length === 1) socket.send('{"a":1}')
      else resolve()
    })
  })
  return messages
}

const CONVERSATION = ['{"hello":"world"}', '{"echo":{"a":1}}']

/** A gateway that ends WebSockets and opens its own to `target`, with the query and, where said, with the headers. */
async function reopening(target: string, tracing: 'traced' | 'not traced', copiesHeaders: boolean) {
  const { wss, url } = await listen()
  ends.push(() => close(wss))
  if (tracing === 'traced') traceWebSocketServer(wss)
  const passed: string[] = []
  wss.on('connection', (socket: WsSocket, { url: path, headers }: IncomingMessage) => {
    const { host: _, connection: __, upgrade: ___, ...others } = headers
    const own = Object.fromEntries(Object.entries(others).filter(([name]) => !name.startsWith('sec-websocket-')))
    const upstream = new WsClient(new URL(path as string, target), { headers: copiesHeaders ? own : {} })
    const early: string[] = []
    socket.on('message', (data) => {
      passed.push(data.toString())
      if (upstream.readyState === WsClient.OPEN) upstream.send(data.toString())
      else early.push(data.toString())
    })
    upstream.on('open', () => {
      for (const text of early) upstream.send(text)
    })
    upstream.on('message', (data) => {
      passed.push(data.toString())
      socket.send(data.toString())
    })
    upstream.on('close', () => socket.terminate())
    socket.on('close', () => upstream.terminate())
  })
  return { url, passed, wss }
}

/** A proxy that hands on bytes, as nginx does: the request with another `Host`, or with the client's. */
async function proxying(target: string, host?: string): Promise<string> {
  const { port } = new URL(target)
  const server = createServer()
  server.on('upgrade', ({ headers, url }, socket) => {
    const given = { ...headers, ...(host !== undefined && { host }) }
    const request = sendRequest({ port, host: '127.0.0.1', path: url, headers: given })
    request.on('upgrade', (response, upstream, head) => {
      const lines = Object.entries(response.headers).map(([name, value]) => `${name}: ${value}\r\n`)
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('')}\r\n`)
      socket.write(head)
      upstream.pipe(socket).pipe(upstream)
      socket.on('close', () => upstream.destroy())
      upstream.on('error', () => {})
      socket.on('error', () => {})
    })
    request.end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  ends.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/chat`
}

describe.each(clients)('%s', (_, connect) => {
  describe.each([
    ['traced', false],
    ['traced', true],
    ['not traced', false],
    ['not traced', true],
  ] as const)(
    'through a gateway that is %s and opens its own connection, with headers copied: %s',
    (tracing, copies) => {
      it('agrees with its own peer only: no application sees what another peer has injected', async () => {
        const upstream = await serve()
        const gateway = await reopening(upstream.url, tracing, copies)
        const socket = traceWebSocket(connect(gateway.url))
        expect(await talk(socket)).toEqual(CONVERSATION)
        expect(upstream.seen).toEqual(['{"a":1}'])
        expect(gateway.passed).toEqual([CONVERSATION[0], '{"a":1}', CONVERSATION[1]])
        const [peer] = gateway.wss.clients
        const id = serverConnectionOf(peer as WsSocket)?.id
        expect(connectionOf(socket)?.id === id).toBe(tracing === 'traced')
      })
    },
  )

  it('through a proxy that keeps Host agrees with the server', async () => {
    const { url } = await serve()
    const socket = traceWebSocket(connect(await proxying(url)))
    expect(await talk(socket)).toEqual(CONVERSATION)
    await telemetry.waitForSpan('process', 3)
    expect(await isOneTrace()).toBe(true)
    expect(telemetry.diagnostics).toEqual([])
  })
})

/** True if the server's process span is a child of the client's send span. */
async function isOneTrace(): Promise<boolean> {
  const received = telemetry
    .spans('process')
    .find(({ instrumentationScope }) => instrumentationScope.name.endsWith('/ws'))
  const sent = telemetry.spans('send').find(({ instrumentationScope }) => instrumentationScope.name.endsWith('/client'))
  return received?.parentSpanContext?.spanId === sent?.spanContext().spanId
}

describe('a proxy that rewrites Host', () => {
  it('does not matter to an offer in a header, which has the key of the request', async () => {
    const { url } = await serve()
    const proxy = await proxying(url, 'upstream.internal')
    const socket = traceWebSocket(new WsClient(proxy, { headers: traceHeaders(proxy) }))
    expect(await talk(socket as unknown as WebSocket)).toEqual(CONVERSATION)
    await telemetry.waitForSpan('process', 3)
    expect(await isOneTrace()).toBe(true)
  })

  it.each([
    ['no offer in the query counts, and one line says what to do', false],
    ['an offer in the query counts for what option authorities names', true],
  ])('%s', async (_, isNamed) => {
    const { wss, url } = await listen()
    ends.push(() => close(wss))
    const proxy = await proxying(url, 'upstream.internal')
    traceWebSocketServer(wss, { authorities: isNamed ? ['chat.example', new URL(proxy).host] : [] })
    wss.on('connection', (socket) => socket.on('message', (data) => socket.send(`${data}`)))
    const socket = traceWebSocket(new WsClient(traceUrl(proxy)))
    ends.push(() => socket.terminate())
    await once(socket, 'open')
    // The hello message is on its way before any answer.
    socket.send('1')
    await once(socket, 'message')
    socket.send('{"b":2}')
    const [data] = await once(socket, 'message')
    expect(`${data}`).toBe('{"b":2}')
    await telemetry.waitForSpan('process', 4)
    const parents = telemetry.spans('process').filter(({ parentSpanContext }) => parentSpanContext !== undefined)
    expect(parents.length > 0).toBe(isNamed)
    expect(telemetry.diagnostics).toEqual(isNamed ? [] : [expect.stringContaining('option authorities')])
  })
})

describe('a URL of traceUrl that is used again', () => {
  it('for a socket that is not traced brings nothing into it', async () => {
    const { url } = await serve()
    const kept = traceUrl(url)
    expect(await talk(traceWebSocket(new WsClient(kept)) as unknown as WebSocket)).toEqual(CONVERSATION)
    expect(await talk(new WsClient(kept) as unknown as WebSocket)).toEqual(CONVERSATION)
  })

  it('at a server that has not seen it before brings the hello message and no context', async () => {
    const first = await serve()
    const kept = traceUrl(first.url, { tracerProvider: new TracerProvider() })
    const socket = new WsClient(kept)
    ends.push(() => socket.terminate())
    const messages: string[] = []
    await new Promise<void>((resolve) => {
      socket.on('message', (data) => {
        messages.push(`${data}`)
        if (messages.length === 2) socket.send('{"a":1}')
        if (messages.length === 3) resolve()
      })
    })
    expect(messages[0]).toMatch(/^\{"_otel":\{"v":1,"id":"[0-9a-f]{16}"\}\}$/)
    expect(messages.slice(1)).toEqual(CONVERSATION)
  })
})

describe('Socket.IO', () => {
  /** A server whose clients are greeted, and answered. */
  async function serveSocketIo(): Promise<{ url: string; seen: unknown[] }> {
    const http = createServer()
    const io = new Server(http)
    traceSocketServer(io)
    const seen: unknown[] = []
    for (const namespace of ['/', '/other']) {
      io.of(namespace).on('connection', (socket) => {
        socket.onAny((...args) => seen.push(args))
        socket.on('question', (...args) => socket.emit('answer', ...args))
      })
    }
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    ends.push(async () => {
      http.closeAllConnections()
      await io.close()
    })
    return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, seen }
  }

  it('through a gateway that opens its own connection with the query has no context in its messages', async () => {
    const upstream = await serveSocketIo()
    const http = createServer().listen(0, '127.0.0.1')
    await once(http, 'listening')
    const gateway = new Server(http)
    ends.push(() => gateway.close())
    traceSocketServer(gateway)
    const passed: unknown[] = []
    gateway.on('connection', (socket) => {
      const { query } = socket.handshake
      expect(query['otel-ws']).toMatch(/^1;host=/)
      const client = connectSocketIo(upstream.url, { query, forceNew: true, transports: ['websocket'] })
      ends.push(() => client.disconnect())
      client.onAny((...args: [string, ...unknown[]]) => {
        passed.push(args)
        socket.emit(...args)
      })
      socket.onAny((...args: [string, ...unknown[]]) => {
        passed.push(args)
        client.emit(...args)
      })
    })
    const { port } = http.address() as AddressInfo
    const client = traceSocket(
      connectSocketIo(`http://127.0.0.1:${port}`, { forceNew: true, autoConnect: false, transports: ['websocket'] }),
    ).connect()
    ends.push(() => client.disconnect())
    const answer = new Promise<unknown[]>((resolve) => client.once('answer', (...args) => resolve(args)))
    await new Promise<void>((resolve) => client.once('connect', resolve))
    client.emit('question', 1)
    expect(await answer).toEqual([1])
    expect(passed).toEqual([
      ['question', 1],
      ['answer', 1],
    ])
    expect(upstream.seen).toEqual([['question', 1]])
  })

  it('puts no context into a namespace whose socket is not traced, over the connection of one that is', async () => {
    const { url, seen } = await serveSocketIo()
    const traced = traceSocket(
      connectSocketIo(url, { forceNew: true, autoConnect: false, transports: ['websocket'] }),
    ).connect()
    ends.push(() => traced.disconnect())
    await new Promise<void>((resolve) => traced.once('connect', resolve))
    const other = traced.io.socket('/other').connect()
    await new Promise<void>((resolve) => other.once('connect', resolve))
    const answer = new Promise<unknown[]>((resolve) => other.once('answer', (...args) => resolve(args)))
    other.emit('question', 1)
    expect(await answer).toEqual([1])
    expect(seen).toEqual([['question', 1]])
  })
})
