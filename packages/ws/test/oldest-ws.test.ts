import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { trace } from '@opentelemetry/api'
import { connect, OPCODE, rawConnect, Telemetry } from '@otel-ws/testkit'
import { connectionOf, traceWebSocketServer } from '@otel-ws/ws'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'

/** The oldest release that the peer range allows, in one process with the current one. */
const oldest = createRequire(import.meta.url)('ws-oldest') as { readonly Server: typeof WebSocketServer }

describe('the oldest ws', () => {
  let telemetry: Telemetry
  let http: Server
  let url: string
  /** What the server does with a connection. */
  let connection: (socket: WebSocket) => void
  let clients: { terminate(): void }[]

  beforeEach(async () => {
    telemetry = new Telemetry()
    telemetry.install()
    clients = []
    http = createServer()
    for (const [path, Server] of [
      ['/oldest', oldest.Server],
      ['/current', WebSocketServer],
    ] as const) {
      const wss = new Server({ noServer: true, maxPayload: 1000 })
      traceWebSocketServer(wss, { route: path })
      wss.on('connection', (socket) => {
        socket.on('error', () => {})
        connection(socket)
      })
      http.on('upgrade', (request, socket, head) => {
        if (request.url === path) wss.handleUpgrade(request, socket, head, (ws) => wss.emit('connection', ws, request))
      })
    }
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}`
  })

  afterEach(async () => {
    for (const client of clients) client.terminate()
    const closed = new Promise((resolve) => http.close(resolve))
    http.closeAllConnections()
    await closed
    await telemetry.uninstall()
    expect(telemetry.openSpans()).toEqual([])
  })

  async function visit(path: string) {
    const client = await connect(url + path)
    clients.push(client.socket)
    return client
  }

  it('is not the current one', () => {
    expect(oldest.Server).not.toBe(WebSocketServer)
  })

  it.each(['/oldest', '/current'])('beside the current one is traced alike: %s', async (path) => {
    connection = (socket) => {
      expect(connectionOf(socket)?.route).toBe(path)
      socket.on('message', async (data, binary) => {
        await setImmediate()
        expect(trace.getActiveSpan()).toBeDefined()
        socket.send(data as Buffer, { binary }, () => {})
      })
    }
    const client = await visit(path)
    client.send('text')
    expect(await client.nextMessage()).toEqual({ data: Buffer.from('text'), binary: false })
    client.send(Buffer.from([1, 2, 3]))
    expect(await client.nextMessage()).toEqual({ data: Buffer.from([1, 2, 3]), binary: true })
    await client.close(4001)
    const close = await telemetry.waitForSpan(`close ${path}`)
    expect(close.attributes).toMatchObject({
      'websocket.close.code': 4001,
      'websocket.close.initiator': 'remote',
      'websocket.connection.messages.received': 2,
      'websocket.connection.messages.sent': 2,
      'websocket.connection.bytes.received': 7,
      'websocket.connection.bytes.sent': 7,
    })
    await telemetry.waitForSpan(`send ${path}`, 2)
    const names = ['GET', 'close', 'open', 'process', 'process', 'send', 'send'].map((name) => `${name} ${path}`)
    expect(telemetry.names()).toEqual(names)
    const [process] = telemetry.spans(`process ${path}`)
    const [send] = telemetry.spans(`send ${path}`)
    expect(send?.parentSpanContext?.spanId).toBe(process?.spanContext().spanId)
  })

  it.each(['/oldest', '/current'])('tells its closes truly: %s', async (path) => {
    const acts: Record<string, (socket: WebSocket) => void> = {
      close: (socket) => socket.close(1012, 'restart'),
      terminate: (socket) => socket.terminate(),
      nothing: () => {},
    }
    const expected = { close: [1012, 'local'], terminate: [1006, 'local'], nothing: [1009, 'local'] }
    for (const act of ['close', 'terminate', 'nothing'] as const) {
      connection = acts[act] as (socket: WebSocket) => void
      const client = await rawConnect(url + path)
      if (act === 'close') {
        await client.nextFrame()
        client.send(OPCODE.close, Buffer.from([0x03, 0xf4]))
      }
      if (act === 'nothing') client.send(OPCODE.text, 'x'.repeat(2000))
      const n = Object.keys(expected).indexOf(act) + 1
      const { attributes } = await telemetry.waitForSpan(`close ${path}`, n)
      client.socket.destroy()
      const told = [attributes['websocket.close.code'], attributes['websocket.close.initiator']]
      expect([act, ...told]).toEqual([act, ...expected[act]])
    }
  })

  it.each(['/oldest', '/current'])('measures handlers however they were added: %s', async (path) => {
    let release = (): void => {}
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    connection = (socket) => {
      const handler = async (): Promise<void> => gate
      socket.addEventListener('message', handler as never)
      socket.once('message', handler)
      socket.on('message', () => socket.send('taken'))
    }
    const client = await visit(path)
    client.send('x')
    await client.next()
    expect(telemetry.openSpans()).toEqual([`process ${path}`])
    release()
    await telemetry.waitForSpan(`process ${path}`)
    await client.close(1000)
    await telemetry.waitForSpan(`close ${path}`)
  })
})
