import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, RawClient, Telemetry } from '@otel-ws/testkit'
import { broadcast, connectionOf, type TelemetryOptions, traceWebSocketServer } from '@otel-ws/ws'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws'

const ADDRESS = '127.0.0.1'

describe('delivery', () => {
  let telemetry: Telemetry
  let servers: WebSocketServer[]
  let clients: { destroy(): void }[]

  beforeEach(() => {
    telemetry = new Telemetry()
    telemetry.install()
    servers = []
    clients = []
  })

  afterEach(async () => {
    for (const client of clients) client.destroy()
    for (const wss of servers) {
      for (const socket of wss.clients) socket.terminate()
      await new Promise((resolve) => wss.close(resolve))
    }
    await telemetry.uninstall()
    expect(telemetry.openSpans()).toEqual([])
  })

  it('counts the connections that a server which is closed still holds, and how long it holds each', async () => {
    const { wss, url } = await serve({})
    const peers = [await connect(url), await connect(url)]
    const draining = () => telemetry.collect('websocket.server.connection.draining')
    const closed = once(wss, 'close')
    wss.close()
    expect(await draining()).toMatchObject([{ value: 2 }])
    peers[0]?.close(1000)
    await telemetry.waitForSpan('close /r')
    expect(await draining()).toMatchObject([{ value: 1 }])
    peers[1]?.close(1000)
    await closed
    await telemetry.waitForSpan('close /r', 2)
    expect(await draining()).toMatchObject([{ value: 0 }])
    expect(await telemetry.collect('websocket.server.connection.drain.duration')).toMatchObject([{ count: 2 }])
    servers.splice(0)
  })

  async function serve(options: TelemetryOptions | null, server: ServerOptions = {}) {
    const wss = new WebSocketServer({ port: 0, host: ADDRESS, ...server })
    servers.push(wss)
    if (options !== null) traceWebSocketServer(wss, { route: '/r', ...options })
    await once(wss, 'listening')
    return { wss, url: `ws://${ADDRESS}:${(wss.address() as AddressInfo).port}` }
  }

  async function visit(wss: WebSocketServer, url: string, options = {}) {
    const accepted = once(wss, 'connection') as Promise<[WebSocket]>
    const client = await connect(url, [], options)
    clients.push({ destroy: () => client.socket.terminate() })
    const [socket] = await accepted
    return { client, socket }
  }

  /** A client that has been accepted and does not read, so that the kernel's buffers fill up. */
  async function visitDeaf(wss: WebSocketServer, url: string) {
    const accepted = once(wss, 'connection') as Promise<[WebSocket]>
    const client = new RawClient(url)
    clients.push({ destroy: () => client.socket.destroy() })
    await client.response
    client.socket.pause()
    const [socket] = await accepted
    return { client, socket }
  }

  /** Sends until something is left waiting; returns how many messages that took. */
  function fill(socket: WebSocket, size = 1024 * 1024): number {
    const data = Buffer.alloc(size)
    for (let sent = 1; ; sent++) {
      socket.send(data)
      if (socket.bufferedAmount > 0) return sent
    }
  }

  it('of a message behind a full kernel buffer ends when it is handed over, not before', async () => {
    const { wss, url } = await serve({})
    const { client, socket } = await visitDeaf(wss, url)
    const before = fill(socket)
    await Promise.resolve()
    let handedOver = false
    socket.send('last', () => {
      handedOver = true
    })
    socket.send('very last')
    await new Promise(setImmediate)
    expect(socket.bufferedAmount).toBeGreaterThan(0)
    const isOpen = telemetry.openSpans().filter((name) => name === 'send /r')
    expect(isOpen.length).toBeGreaterThanOrEqual(2)
    expect(handedOver).toBe(false)
    client.socket.resume()
    await telemetry.waitUntil(() => telemetry.spans('send /r').length === before + 2, 'every send')
    expect(handedOver).toBe(true)
    expect(socket.bufferedAmount).toBe(0)
    const sequences = telemetry.spans('send /r').map((span) => span.attributes['websocket.message.sequence'] as number)
    expect(sequences.sort((a, b) => a - b)).toEqual(Array.from({ length: before + 2 }, (_, index) => index + 1))
  })

  it('to a peer that does not read is seen in the gauges, and over with the connection', async () => {
    const { wss, url } = await serve({ slowConsumerBytes: 1000 })
    const { socket } = await visitDeaf(wss, url)
    await visit(wss, url)
    fill(socket)
    const value = async (name: string) => (await telemetry.collect(`websocket.server.${name}`)).map((row) => row.value)
    const { bufferedAmount } = socket
    expect(bufferedAmount).toBeGreaterThan(1000)
    expect(await value('send.buffered')).toEqual([bufferedAmount])
    expect(await value('connection.slow')).toEqual([1])
    expect(await value('connection.active')).toEqual([2])
    socket.terminate()
    await telemetry.waitForSpan('close /r')
    expect(await value('send.buffered')).toEqual([0])
    expect(await value('connection.slow')).toEqual([0])
    expect(await value('connection.active')).toEqual([1])
  })

  it('of a message that the kernel did not take at once ends with the connection', async () => {
    const { wss, url } = await serve({})
    const { socket } = await visitDeaf(wss, url)
    const sent = fill(socket, 60 * 1024)
    await new Promise(setImmediate)
    expect(telemetry.openSpans()).toEqual(['send /r'])
    socket.terminate()
    await telemetry.waitForSpan('close /r')
    expect(telemetry.openSpans()).toEqual([])
    expect(telemetry.spans('send /r')).toHaveLength(sent)
  })

  it('that the end of the connection cuts short ends its span and is undelivered', async () => {
    const { wss, url } = await serve({})
    const { socket } = await visitDeaf(wss, url)
    fill(socket)
    const result = new Promise((resolve) => socket.send('last', resolve))
    socket.terminate()
    expect(await result).toBeInstanceOf(Error)
    await telemetry.waitForSpan('close /r')
    await telemetry.waitUntil(() => telemetry.openSpans().length === 0, 'the end of every send')
    const failed = telemetry.spans('send /r').filter((span) => span.attributes['error.type'] !== undefined)
    expect(failed.length).toBeGreaterThanOrEqual(1)
    const [undelivered] = await telemetry.collect('websocket.server.send.undelivered')
    expect(undelivered?.attributes['websocket.send.undelivered.reason']).toBe('error')
    expect(undelivered?.value).toBeGreaterThanOrEqual(1)
  })

  it('of compressed messages keeps order, sizes and spans', async () => {
    const { wss, url } = await serve({}, { perMessageDeflate: { threshold: 0 } })
    const { client, socket } = await visit(wss, url, { perMessageDeflate: true })
    expect(socket.extensions).toContain('permessage-deflate')
    const messages = ['a'.repeat(5000), randomBytes(50_000).toString('hex'), 'b', 'é'.repeat(10)]
    const order: number[] = []
    for (const [index, message] of messages.entries()) socket.send(message, () => order.push(index))
    for (const message of messages) expect(await client.next()).toBe(message)
    await telemetry.waitForSpan('send /r', 4)
    expect(order).toEqual([0, 1, 2, 3])
    const told = telemetry.spans('send /r').map(({ attributes }) => attributes)
    expect(told.map((attributes) => attributes['websocket.message.sequence'])).toEqual([1, 2, 3, 4])
    expect(told.map((attributes) => attributes['websocket.message.size'])).toEqual([5000, 100_000, 1, 20])
    let received = ''
    socket.on('message', (data) => {
      received += data.toString()
    })
    client.send('c'.repeat(5000))
    const process = await telemetry.waitForSpan('process /r')
    expect(process.attributes['websocket.message.size']).toBe(5000)
    expect(received).toBe('c'.repeat(5000))
  })

  it('by broadcast() goes to traced and untraced sockets alike, and is told of the whole', async () => {
    const traced = await serve({})
    const plain = await serve(null)
    const open = await visit(traced.wss, traced.url)
    const foreign = await visit(plain.wss, plain.url)
    const gone = await visit(traced.wss, traced.url)
    expect([connectionOf(open.socket)?.route, connectionOf(foreign.socket)]).toEqual(['/r', undefined])
    gone.socket.terminate()
    const sent = broadcast([foreign.socket, gone.socket, open.socket], 'news', { name: 'news' })
    expect(sent).toBe(2)
    expect([await open.client.next(), await foreign.client.next()]).toEqual(['news', 'news'])
    const span = await telemetry.waitForSpan('broadcast news')
    expect(span.attributes).toMatchObject({ 'websocket.message.name': 'news', 'websocket.message.size': 4 })
    expect(span.attributes['websocket.broadcast.skipped']).toBe(1)
    expect(telemetry.spans('send /r')).toEqual([])
    expect(broadcast([foreign.socket], 'plain')).toBe(1)
    expect(await foreign.client.next()).toBe('plain')
    expect(broadcast([], 'nobody')).toBe(0)
    expect(telemetry.names().filter((name) => name.startsWith('broadcast'))).toEqual(['broadcast news'])
  })

  it('by broadcast() to connections of two traced servers is one broadcast', async () => {
    const [one, other] = [await serve({}), await serve({})]
    const here = await visit(one.wss, one.url)
    const there = await visit(other.wss, other.url)
    expect(broadcast([here.socket, there.socket], 'news', { name: 'news' })).toBe(2)
    expect([await here.client.next(), await there.client.next()]).toEqual(['news', 'news'])
    const span = await telemetry.waitForSpan('broadcast news')
    expect(span.attributes['websocket.broadcast.recipients']).toBe(2)
    expect(telemetry.spans('send /r')).toEqual([])
  })

  it.each(['nodebuffer', 'arraybuffer', 'fragments'] as const)(
    'as %s tells size, type and name of text and binary',
    async (type) => {
      const { wss, url } = await serve({ messageName: '$.type' })
      wss.on('connection', (socket) => {
        socket.binaryType = type
        socket.on('message', () => {})
      })
      const { client } = await visit(wss, url)
      const text = JSON.stringify({ filler: 'é'.repeat(600), type: 'chat' })
      client.send(text)
      client.send(Buffer.alloc(300))
      const named = await telemetry.waitForSpan('process chat')
      expect(named.attributes).toMatchObject({
        'websocket.message.type': 'text',
        'websocket.message.size': Buffer.byteLength(text),
      })
      const binary = await telemetry.waitForSpan('process /r')
      expect(binary.attributes).toMatchObject({ 'websocket.message.type': 'binary', 'websocket.message.size': 300 })
    },
  )
})
