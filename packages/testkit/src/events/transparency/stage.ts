import type { EventClient, EventHarness, EventHost, EventHostOptions } from '../harness.ts'

/** A host and its clients for a script, which does not know whether there is telemetry. */
export class EventStage {
  /** The entries that the script has logged, in order. */
  readonly transcript: unknown[] = []
  readonly harness: EventHarness
  readonly #telemetry: Readonly<Record<string, unknown>> | undefined
  readonly #hosts: EventHost[] = []
  readonly #clients: EventClient[] = []

  constructor(harness: EventHarness, telemetry: Readonly<Record<string, unknown>> | undefined) {
    this.harness = harness
    this.#telemetry = telemetry
  }

  readonly log = (...entry: unknown[]): void => {
    this.transcript.push(entry)
  }

  readonly serve = async (options: Omit<EventHostOptions, 'telemetry'>): Promise<EventHost> => {
    const host = await this.harness.start({ ...options, telemetry: this.#telemetry })
    this.#hosts.push(host)
    return host
  }

  readonly connect = async (host: EventHost): Promise<EventClient> => {
    const client = await host.connect()
    this.#clients.push(client)
    return client
  }

  async clear(): Promise<void> {
    for (const client of this.#clients) client.abort()
    for (const host of this.#hosts) {
      await host.close()
      await host.shutdown()
    }
  }
}
