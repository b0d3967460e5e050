import type { ClientOptions } from 'ws'
import type { Connection } from '../shared/connection.ts'
import { kindOf } from '../shared/kind-of.ts'
import { useResources } from '../shared/resources.ts'
import { connect, type TestClient } from '../testing/client.ts'
import { RawClient, rawConnect, type UpgradeOptions } from '../testing/raw-client.ts'
import type { Telemetry } from '../testing/telemetry.ts'
import type { Harness, Host, HostOptions, HostSocket } from './harness.ts'

/** Hosts and clients for a test, with the SDK that records them; made new for each. */
export interface Fixture {
  readonly telemetry: Telemetry
  serve(options: HostOptions): Promise<Host>
  /** A connected client of the host. */
  connect(host: Host, options?: ConnectOptions): Promise<TestClient>
  /** A client that has been accepted and continues in frames written by hand. */
  rawConnect(host: Host, options?: UpgradeOptions): Promise<RawClient>
  /** A client whose upgrade request has been written; `response` is the answer. */
  upgrade(host: Host, options?: UpgradeOptions & { query?: string }): RawClient
  /** A host with one client connected, and the server's end of that connection. */
  open(options?: OpenOptions): Promise<Opened>
  /** Closes the hosts now rather than after the test: afterwards no further span can come. */
  settle(): Promise<void>
}

export interface OpenOptions extends Omit<HostOptions, 'connection'> {
  /** As the user's handler, with the context of the connection at hand. Default: does nothing. */
  readonly connection?: (socket: HostSocket, connection: Connection) => unknown
  readonly client?: ConnectOptions
}

export interface Opened {
  readonly host: Host
  readonly client: TestClient
  /** The server's socket. */
  readonly socket: HostSocket
  readonly connection: Connection
}

export interface ConnectOptions extends ClientOptions {
  readonly query?: string
  readonly protocols?: string[]
}

/** A connection handler that answers every message with the message. */
export function echo(socket: HostSocket): void {
  socket.onMessage((data) => socket.send(data))
}

/** A connection handler that takes messages and does nothing with them. */
export function listen(socket: HostSocket): void {
  socket.onMessage(() => {})
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
      return resources.keepHost(await harness.start({ telemetry: {}, ...options }))
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
    async open({ connection = () => {}, client: clientOptions, ...options } = {}) {
      let accepted: (opened: { socket: HostSocket; connection: Connection }) => void = () => {}
      const server = new Promise<{ socket: HostSocket; connection: Connection }>((resolve) => {
        accepted = resolve
      })
      const host = await fixture.serve({
        ...options,
        connection: kindOf(connection, (socket: HostSocket) => {
          const traced = host.connectionOf(socket.raw)
          if (!traced) throw new Error('the connection is not traced')
          accepted({ socket, connection: traced })
          return connection(socket, traced)
        }),
      })
      const client = await fixture.connect(host, clientOptions)
      return { host, client, ...(await server) }
    },
    settle: resources.settle,
  }
  return fixture
}
