import { afterEach, beforeEach, expect } from 'vitest'
import type { Connection } from '../harness.ts'
import { Telemetry } from '../telemetry.ts'
import type { EventClient, EventHarness, EventHost, EventHostOptions, EventSocket } from './harness.ts'

/** Said by the SDK when a span is used after its end. */
const MISUSE = /ended Span|end\(\) on a span once|startTime > endTime/

/** What each test of a suite works with; made new for each. */
export interface EventFixture {
  readonly telemetry: Telemetry
  serve(options: EventHostOptions): Promise<EventHost>
  connect(host: EventHost): Promise<EventClient>
  /** A host with one client connected, and the server's end of that connection. */
  open(options?: EventHostOptions): Promise<OpenedEvents>
  /** Closes the hosts now rather than after the test: afterwards no further span can come. */
  settle(): Promise<void>
}

export interface OpenedEvents {
  readonly host: EventHost
  readonly client: EventClient
  readonly socket: EventSocket
  readonly connection: Connection
}

/**
 * Registers hooks that give each test an in-memory SDK and take hosts and clients down after it. Afterwards every span
 * must have ended, once, and no span may have been used after its end.
 */
export function useEventFixture(harness: EventHarness): EventFixture {
  let telemetry = new Telemetry()
  let hosts: EventHost[] = []
  let clients: EventClient[] = []

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
    for (const client of clients) client.abort()
    clients = []
    await settle()
    await telemetry.uninstall()
    expect(telemetry.openSpans()).toEqual([])
    expect(telemetry.diagnostics.filter((line) => MISUSE.test(line))).toEqual([])
  })

  const fixture: EventFixture = {
    get telemetry() {
      return telemetry
    },
    async serve(options) {
      const host = await harness.start({ telemetry: {}, ...options })
      hosts.push(host)
      return host
    },
    async connect(host) {
      const client = await host.connect()
      clients.push(client)
      return client
    },
    async open(options = {}) {
      let resolve: (socket: EventSocket) => void = () => {}
      const accepted = new Promise<EventSocket>((resolved) => {
        resolve = resolved
      })
      const host = await fixture.serve({
        ...options,
        connection(socket) {
          resolve(socket)
          return options.connection?.(socket)
        },
      })
      const client = await fixture.connect(host)
      const socket = await accepted
      const connection = host.connectionOf(socket)
      if (connection === undefined) throw new Error('the connection has no record')
      return { host, client, socket, connection }
    },
    settle,
  }
  return fixture
}
