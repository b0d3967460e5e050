import type { ClientOptions } from 'ws'
import { connect, type TestClient } from '../client.ts'
import type { Harness, Host, HostOptions } from '../harness.ts'
import { RawClient, rawConnect, type UpgradeOptions } from '../raw-client.ts'

/** A script is run on the bare host and again with telemetry; what it logs must be equal. */
export type Script = (stage: Stage) => Promise<void>

/** What a script works with. It does not know whether telemetry is there. */
export class Stage {
  /** What happened, in order, as plain values. */
  readonly transcript: unknown[] = []
  readonly harness: Harness
  readonly #telemetry: Readonly<Record<string, unknown>> | undefined
  readonly #headers: Readonly<Record<string, string>>
  readonly #hosts: Host[] = []
  readonly #clients: { destroy: () => void }[] = []

  /** @param headers what every client asks with */
  constructor(
    harness: Harness,
    telemetry: Readonly<Record<string, unknown>> | undefined,
    headers: Readonly<Record<string, string>> = {},
  ) {
    this.harness = harness
    this.#telemetry = telemetry
    this.#headers = headers
  }

  readonly log = (...entry: unknown[]): void => {
    this.transcript.push(entry.map(plain))
  }

  async serve(options: Omit<HostOptions, 'telemetry'>): Promise<Host> {
    const host = await this.harness.start({ ...options, telemetry: this.#telemetry })
    this.#hosts.push(host)
    return host
  }

  async connect(host: Host, protocols: string[] = [], options: ClientOptions = {}): Promise<TestClient> {
    const client = await connect(host.url, protocols, this.#asking(options))
    this.#clients.push({ destroy: () => client.socket.terminate() })
    return client
  }

  async rawConnect(host: Host, options?: UpgradeOptions): Promise<RawClient> {
    const client = await rawConnect(host.url, this.#asking(options))
    this.#clients.push({ destroy: () => client.socket.destroy() })
    return client
  }

  upgrade(host: Host, options?: UpgradeOptions): RawClient {
    const client = new RawClient(host.url, this.#asking(options))
    this.#clients.push({ destroy: () => client.socket.destroy() })
    return client
  }

  #asking<O extends { readonly headers?: object | undefined }>(options: O | undefined): O {
    return { ...options, headers: { ...this.#headers, ...options?.headers } } as O
  }

  async clear(): Promise<void> {
    for (const client of this.#clients) client.destroy()
    for (const host of this.#hosts) {
      await host.close()
      await host.shutdown()
    }
  }
}

/** Values as they can be compared across two runs. */
export function plain(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return `bytes ${value.toString('hex')}`
  if (value instanceof ArrayBuffer) return `array buffer ${Buffer.from(value).toString('hex')}`
  if (value instanceof Error) return { error: value.constructor.name, message: value.message, code: codeOf(value) }
  if (typeof value === 'function') return `function ${value.name}`
  if (typeof value === 'symbol') return value.toString()
  if (Array.isArray(value)) return value.map(plain)
  if (isPlainObject(value))
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]))
  return value
}

function isPlainObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

function codeOf(error: Error): unknown {
  return (error as { code?: unknown }).code
}

/** Lets everything run that is due without the passing of time: microtasks, ticks, and a few turns of the event loop. */
export async function turns(count = 5): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}
