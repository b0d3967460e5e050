import type { Connection } from '../shared/connection.ts'
import { kindOf } from '../shared/kind-of.ts'
import { useResources } from '../shared/resources.ts'
import type { Telemetry } from '../testing/telemetry.ts'
import type {
  EventClient,
  EventConnectOptions,
  EventHarness,
  EventHost,
  EventHostOptions,
  EventSocket,
} from './harness.ts'

/** Hosts and clients for a test, with the SDK that records them; made new for each. */
export interface EventFixture {
  readonly telemetry: Telemetry
  serve(options: EventHostOptions): Promise<EventHost>
  connect(host: EventHost, options?: EventConnectOptions): Promise<EventClient>
  /** A host with one client connected, and the server's end of that connection. */
  open(options?: EventHostOptions & { readonly client?: EventConnectOptions }): Promise<OpenedEvents>
  /** Closes the hosts now rather than after the test: afterwards no further span can come. */
  settle(): Promise<void>
}

export interface OpenedEvents {
  readonly host: EventHost
  readonly client: EventClient
  readonly socket: EventSocket
  readonly connection: Connection
}

/** The fixture of each test of a suite, with the hooks of `useResources()`. */
export function useEventFixture(harness: EventHarness): EventFixture {
  const resources = useResources<EventHost>()

  const fixture: EventFixture = {
    get telemetry() {
      return resources.telemetry
    },
    async serve(options) {
      return resources.keepHost(await harness.start({ telemetry: {}, ...options }))
    },
    async connect(host, options) {
      const client = await host.connect(options)
      resources.keepClient(() => client.abort())
      return client
    },
    async open({ client: clientOptions, ...options } = {}) {
      let resolve: (socket: EventSocket) => void = () => {}
      const accepted = new Promise<EventSocket>((resolved) => {
        resolve = resolved
      })
      const host = await fixture.serve({
        ...options,
        connection: kindOf(options.connection ?? fixture.open, (socket: EventSocket) => {
          resolve(socket)
          return options.connection?.(socket)
        }),
      })
      const client = await fixture.connect(host, clientOptions)
      const socket = await accepted
      const connection = host.connectionOf(socket)
      if (connection === undefined) throw new Error('the connection is not traced')
      return { host, client, socket, connection }
    },
    settle: resources.settle,
  }
  return fixture
}
