import { once } from 'node:events'
import { createServer, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { confirmContext, Telemetry } from '@otel-ws/testkit'
import { Server, type ServerOptions } from 'socket.io'
import { type Socket as ClientSocket, connect, type ManagerOptions, type SocketOptions } from 'socket.io-client'
import { afterEach, beforeEach, expect } from 'vitest'

/** A server that is listening on a port of its own. */
export interface Listening {
  readonly io: Server
  readonly http: HttpServer
  readonly url: string
}

export type ClientOptions = Partial<ManagerOptions & SocketOptions>

export interface Fixture {
  readonly telemetry: Telemetry
  listen(options?: Partial<ServerOptions>): Promise<Listening>
  /** A client that has joined its namespace, and has confirmed context in messages where the server has agreed to it. */
  join(server: Listening, namespace?: string, options?: ClientOptions): Promise<ClientSocket>
  /** A client that may not have connected yet. */
  client(server: Listening, namespace?: string, options?: ClientOptions): ClientSocket
}

/** Gives each test an in-memory SDK, and closes its servers and clients after it: no span may be open then. */
export function useServers(): Fixture {
  let telemetry = new Telemetry()
  const servers: Listening[] = []
  const clients: ClientSocket[] = []

  beforeEach(() => {
    telemetry = new Telemetry()
    telemetry.install()
  })

  afterEach(async () => {
    for (const client of clients.splice(0)) client.disconnect()
    for (const { io, http } of servers.splice(0)) {
      http.closeAllConnections()
      await io.close()
    }
    await telemetry.waitUntil(() => telemetry.openSpans().length === 0, 'the end of all spans')
    await telemetry.uninstall()
    expect(telemetry.diagnostics).toEqual([])
  })

  const fixture: Fixture = {
    get telemetry() {
      return telemetry
    },
    async listen(options = {}) {
      const http = createServer()
      const io = new Server(http, options)
      http.listen(0, '127.0.0.1')
      await once(http, 'listening')
      const server = { io, http, url: `http://127.0.0.1:${(http.address() as AddressInfo).port}` }
      servers.push(server)
      return server
    },
    client(server, namespace = '/', options = {}) {
      const offered = (options.query as Record<string, unknown> | undefined)?.['otel-ws']
      const client = connect(server.url + namespace, {
        forceNew: true,
        reconnection: false,
        transports: ['websocket'],
        ...options,
        query: { ...options.query, ...(offered === '<host>' && { 'otel-ws': `1;host=${new URL(server.url).host}` }) },
      })
      clients.push(client)
      return client
    },
    async join(server, namespace, options) {
      const client = fixture.client(server, namespace, options)
      let hasAgreed = false
      client.io.on('packet', ({ type, data }: { type: unknown; data?: object }) => {
        if (type === 0) hasAgreed = data !== undefined && '_otel' in data
      })
      await new Promise<void>((resolve, reject) => {
        client.once('connect', resolve)
        client.once('connect_error', reject)
      })
      if (hasAgreed) await confirmContext(client)
      return client
    },
  }
  return fixture
}
