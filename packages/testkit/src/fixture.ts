import { afterEach, beforeEach, expect } from 'vitest'
import type { ClientOptions, WebSocket } from 'ws'
import { connect, type TestClient } from './client.ts'
import type { Connection, Harness, Host, HostOptions } from './harness.ts'
import { RawClient, rawConnect, type UpgradeOptions } from './raw-client.ts'
import { Telemetry } from './telemetry.ts'

/** Said by the SDK when a span is used after its end. */
const MISUSE = /ended Span|end\(\) on a span once|startTime > endTime/

/** What each test of a suite works with; made new for each. */
export interface Fixture {
  readonly telemetry: Telemetry
  serve(options: HostOptions): Promise<Host>
  /** A connected client of the host. */
  connect(host: Host, options?: ConnectOptions): Promise<TestClient>
  /** A client that has been accepted and goes on in frames written by hand. */
  rawConnect(host: Host, options?: UpgradeOptions): Promise<RawClient>
  /** A client whose upgrade has been written; `response` tells how it was answered. */
  upgrade(host: Host, options?: UpgradeOptions & { query?: string }): RawClient
  /** A host with one client connected, and the server's end of that connection. */
  open(options: OpenOptions): Promise<Opened>
  /** Closes the hosts now rather than after the test: afterwards no further span can come. */
  settle(): Promise<void>
}

export interface OpenOptions extends Omit<HostOptions, 'connection'> {
  /** As the user's handler, and with the connection's record at hand. */
  readonly connection?: (socket: WebSocket, record: Connection) => unknown
  readonly client?: ConnectOptions
}

export interface Opened {
  readonly host: Host
  readonly client: TestClient
  /** The server's socket. */
  readonly socket: WebSocket
  readonly connection: Connection
}

export interface ConnectOptions extends ClientOptions {
  readonly query?: string
  readonly protocols?: string[]
}

/**
 * Registers hooks that give each test an in-memory SDK and take hosts and clients down after it. Afterwards every span
 * must have ended, once, and no span may have been used after its end.
 */
export function useFixture(harness: Harness): Fixture {
  let telemetry = new Telemetry()
  let hosts: Host[] = []
  let clients: { destroy: () => void }[] = []

  async function settle(): Promise<void> {
    const closing = hosts
    hosts = []
    for (const host of closing) {
      await host.close()
      await host.shutdown()
    }
  }

  beforeEach(() => {
    telemetry = new Telemetry()
    telemetry.install()
  })

  afterEach(async () => {
    for (const client of clients) client.destroy()
    clients = []
    await settle()
    await telemetry.uninstall()
    expect(telemetry.openSpans()).toEqual([])
    expect(telemetry.diagnostics.filter((line) => MISUSE.test(line))).toEqual([])
  })

  function keep<C extends TestClient | RawClient>(client: C): C {
    const { socket } = client
    clients.push({ destroy: () => ('terminate' in socket ? socket.terminate() : socket.destroy()) })
    return client
  }

  const fixture: Fixture = {
    get telemetry() {
      return telemetry
    },
    async serve(options) {
      const host = await harness.start(options)
      hosts.push(host)
      return host
    },
    async connect(host, { query = '', protocols = [], ...options } = {}) {
      return keep(await connect(host.url + query, protocols, options))
    },
    async rawConnect(host, options) {
      return keep(await rawConnect(host.url, options))
    },
    upgrade(host, { query = '', ...options } = {}) {
      return keep(new RawClient(host.url + query, options))
    },
    async open({ connection = () => {}, client: clientOptions, ...options }) {
      let accepted: (opened: { socket: WebSocket; connection: Connection }) => void = () => {}
      const server = new Promise<{ socket: WebSocket; connection: Connection }>((resolve) => {
        accepted = resolve
      })
      const host = await fixture.serve({
        ...options,
        connection(socket) {
          const record = host.connectionOf(socket)
          if (!record) throw new Error('the connection has no record')
          accepted({ socket, connection: record })
          return connection(socket, record)
        },
      })
      const client = await fixture.connect(host, clientOptions)
      return { host, client, ...(await server) }
    },
    settle,
  }
  return fixture
}
