import { once } from 'node:events'
import { createServer, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connectionOf } from '@otel-ws/core'
import { SocketIoInstrumentation, WsInstrumentation } from '@otel-ws/instrumentation'
import { traceSocketServer } from '@otel-ws/socket.io'
import { Telemetry } from '@otel-ws/testkit'
import { Namespace, Server } from 'socket.io'
import { type Socket as ClientSocket, connect } from 'socket.io-client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

interface Listening {
  readonly io: Server
  readonly url: string
}

describe('SocketIoInstrumentation', () => {
  let telemetry: Telemetry
  let instrumentation: SocketIoInstrumentation | undefined
  let servers: { io: Server; http: HttpServer }[] = []
  let clients: ClientSocket[] = []

  beforeEach(() => {
    telemetry = new Telemetry()
    telemetry.install()
  })

  afterEach(async () => {
    for (const client of clients) client.disconnect()
    for (const { io, http } of servers) {
      http.closeAllConnections()
      await io.close()
    }
    clients = []
    servers = []
    instrumentation?.disable()
    await telemetry.uninstall()
    expect(telemetry.openSpans()).toEqual([])
  })

  async function serve(): Promise<Listening> {
    const http = createServer()
    const io = new Server(http)
    servers.push({ io, http })
    io.on('connection', (socket) => {
      socket.on('question', (text, answer) => answer(text))
    })
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    return { io, url: `http://127.0.0.1:${(http.address() as AddressInfo).port}` }
  }

  async function join({ url }: Listening): Promise<ClientSocket> {
    const client = connect(url, { transports: ['websocket'], forceNew: true, reconnection: false })
    clients.push(client)
    await new Promise<void>((resolve) => client.once('connect', resolve))
    return client
  }

  async function talk(server: Listening): Promise<void> {
    const client = await join(server)
    expect(await client.emitWithAck('question', 'a')).toBe('a')
    const socket = server.io.sockets.sockets.get(client.id ?? '')
    const left = new Promise((resolve) => socket?.once('disconnect', resolve))
    client.disconnect()
    await left
  }

  it('traces servers created after it with their handshakes, and earlier ones from the first event on', async () => {
    const before = await serve()
    const ws = new WsInstrumentation()
    instrumentation = new SocketIoInstrumentation()
    const after = await serve()
    await talk(after)
    await telemetry.waitForSpan('close /')
    expect(telemetry.names()).toEqual([
      'CONNECT /',
      'GET /socket.io',
      'close /',
      'disconnect /',
      'open /',
      'process question',
    ])
    await talk(before)
    await telemetry.waitForSpan('close /', 2)
    expect(telemetry.names().filter((name) => name !== 'GET /socket.io')).toEqual(
      ['CONNECT /', 'close /', 'disconnect /', 'open /', 'process question'].flatMap((name) => [name, name]),
    )
    ws.disable()
  })

  it('uses the options of an application that traces its server itself', async () => {
    instrumentation = new SocketIoInstrumentation()
    const server = await serve()
    traceSocketServer(server.io, { messages: false })
    await talk(server)
    await telemetry.waitForSpan('close /')
    expect(telemetry.spans('process question')).toEqual([])
    expect(telemetry.spans('CONNECT /')).toHaveLength(1)
    instrumentation.disable()
    await talk(server)
    await telemetry.waitForSpan('close /', 2)
  })

  it('restores the methods of classes, servers and connections', async () => {
    const describeAll = (...hosts: object[]) =>
      hosts.map((host) => Reflect.ownKeys(host).map((key) => [key, Object.getOwnPropertyDescriptor(host, key)?.value]))
    const classes = describeAll(Namespace.prototype, Server.prototype)
    const bare = await serve()
    const { prototype } = Namespace
    instrumentation = new SocketIoInstrumentation()
    expect(describeAll(prototype, Server.prototype)).not.toEqual(classes)
    const server = await serve()
    const client = await join(server)
    await client.emitWithAck('question', 'a')
    const [socket] = server.io.sockets.sockets.values()
    if (socket === undefined) throw new Error('not connected')
    expect(connectionOf(socket)).toBeDefined()

    instrumentation.disable()
    expect(describeAll(prototype, Server.prototype)).toEqual(classes)
    expect(connectionOf(socket)).toBeUndefined()
    const names = ({ io }: Listening) =>
      [io, io.engine, io.sockets, io.sockets.adapter].map((host) => Reflect.ownKeys(host))
    expect(names(server)).toEqual(names(bare))
    const untold = await serve()
    const other = await join(untold)
    const [plain] = untold.io.sockets.sockets.values()
    const inside = (of: typeof socket) =>
      [of, of.client, of.conn, (of.client as unknown as { decoder: object }).decoder].map((host) =>
        Reflect.ownKeys(host),
      )
    expect(inside(socket)).toEqual(inside(plain as typeof socket))
    const told = telemetry.counts()
    expect(await client.emitWithAck('question', 'b')).toBe('b')
    expect(await other.emitWithAck('question', 'c')).toBe('c')
    expect(telemetry.counts()).toEqual(told)
    expect((await telemetry.collect('websocket.server.connection.active')).filter(({ value }) => value !== 0)).toEqual(
      [],
    )

    instrumentation.enable()
    await talk(server)
    await telemetry.waitForSpan('close /')
    expect(telemetry.spans('process question')).toHaveLength(2)
  })
})
