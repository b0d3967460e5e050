import type { ClientOptions, WebSocket } from 'ws'
import { connect, type TestClient } from './client.ts'
import type { Connection, Harness, Host, HostOptions } from './harness.ts'
import { RawClient, rawConnect, type UpgradeOptions } from './raw-client.ts'
import { useResources } from './resources.ts'
import type { Telemetry } from './telemetry.ts'

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

/** The fixture of each test of a suite, with the hooks of `useResources()`. */
export function useFixture(harness: Harness): Fixture {
  const resources = useResources<Host>()

  function keep<C extends TestClient | RawClient>(client: C): C {
    const { socket } = client
    resources.keepClient(() => ('terminate' in socket ? socket.terminate() : socket.destroy()))
    return client
  }

  const fixture: Fixture = {
    get telemetry() {
      return resources.telemetry
    },
    async serve(options) {
      return resources.keepHost(await harness.start(options))
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
    settle: resources.settle,
  }
  return fixture
}
