import { afterEach, beforeEach, expect } from 'vitest'
import { Telemetry } from '../testing/telemetry.ts'

/** Logged by the SDK when a span is used after its end. */
const MISUSE = /ended Span|end\(\) on a span once|startTime > endTime/

/** The members that hosts of all suites have. */
interface SuiteHost {
  close(): Promise<unknown>
  shutdown(): Promise<unknown>
}

/** The SDK, hosts and clients of a test; made new for each. */
export interface Resources<Host extends SuiteHost> {
  readonly telemetry: Telemetry
  /** Takes the host down after the test. */
  keepHost(host: Host): Host
  /** Destroys a client after the test. */
  keepClient(destroy: () => void): void
  /** Closes the hosts now rather than after the test: afterwards no further span can come. */
  settle(): Promise<void>
}

/**
 * Registers hooks that give each test an in-memory SDK and take hosts and clients down after it. Afterwards every span
 * must have ended, once, and no span may have been used after its end.
 */
export function useResources<Host extends SuiteHost>(): Resources<Host> {
  let telemetry = new Telemetry()
  let hosts: Host[] = []
  let clients: (() => void)[] = []

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
    for (const destroy of clients) destroy()
    clients = []
    await settle()
    await telemetry.uninstall()
    expect(telemetry.openSpans()).toEqual([])
    expect(telemetry.diagnostics.filter((line) => MISUSE.test(line))).toEqual([])
  })

  return {
    get telemetry() {
      return telemetry
    },
    keepHost(host) {
      hosts.push(host)
      return host
    },
    keepClient(destroy) {
      clients.push(destroy)
    },
    settle,
  }
}
