import type { ClientOptions, WebSocket } from 'ws'
import { plain } from '../../shared/plain.ts'
import { connect, type TestClient } from '../../testing/client.ts'
import { RawClient, rawConnect, type UpgradeOptions } from '../../testing/raw-client.ts'
import type { Harness, Host, HostOptions, HostSocket } from '../harness.ts'

/** A script is run on the bare host and again with telemetry; what it logs must be equal. */
export type Script = (stage: Stage) => Promise<void>

/** A host and its clients for a script, which does not know whether there is telemetry. */
export class Stage {
  /** The entries that the script has logged, in order, as plain values. */
  readonly transcript: unknown[] = []
  readonly harness: Harness
  readonly #telemetry: Readonly<Record<string, unknown>> | undefined
  readonly #headers: Readonly<Record<string, string>>
  readonly #hosts: Host[] = []
  readonly #clients: { destroy: () => void }[] = []

  /** @param headers sent by every client */
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
    const client = await connect(host.url, protocols, this.#withHeaders(options))
    this.#clients.push({ destroy: () => client.socket.terminate() })
    return client
  }

  async rawConnect(host: Host, options?: UpgradeOptions): Promise<RawClient> {
    const client = await rawConnect(host.url, this.#withHeaders(options))
    this.#clients.push({ destroy: () => client.socket.destroy() })
    return client
  }

  upgrade(host: Pick<Host, 'url'>, options?: UpgradeOptions): RawClient {
    const client = new RawClient(host.url, this.#withHeaders(options))
    this.#clients.push({ destroy: () => client.socket.destroy() })
    return client
  }

  /** Logs what the host reports of a connection beside its messages: with `ws` every event, else the close. */
  watch(socket: HostSocket): void {
    if (!this.harness.capabilities.ws) {
      socket.onClose((code) => this.log('close', code))
      return
    }
    const raw = socket.raw as WebSocket
    for (const event of ['ping', 'pong'] as const) raw.on(event, (data) => this.log(event, data))
    raw.on('error', (error) => this.log('error', error, raw.readyState))
    raw.on('close', (code, reason) => this.log('close', code, reason, raw.readyState))
    raw.addEventListener('close', ({ code, reason, wasClean }) => this.log('close event', code, reason, wasClean))
  }

  /** Sends, and logs what the host returns; with `ws` also when and how it calls back. */
  send(socket: HostSocket, data: string | Buffer): void {
    if (!this.harness.capabilities.ws) {
      this.log('sent', socket.send(data))
      return
    }
    const raw = socket.raw as WebSocket
    this.log(
      'returned',
      raw.send(data, (error) => this.log('sent', error)),
    )
  }

  #withHeaders<O extends { readonly headers?: object | undefined }>(options: O | undefined): O {
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
