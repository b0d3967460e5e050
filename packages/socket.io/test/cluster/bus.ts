import type { Namespace, ServerOptions } from 'socket.io'
import { ClusterAdapter, type ClusterMessage, type ClusterResponse } from 'socket.io-adapter'

/** Connects the nodes of one process; a test can block it. */
export class Bus {
  readonly #adapters = new Set<BusAdapter>()
  /** Awaited before each message is passed on; a rejection loses the message. */
  gate: () => Promise<unknown> = async () => undefined

  /** The adapter of one more node. */
  adapter(): NonNullable<ServerOptions['adapter']> {
    const join = (adapter: BusAdapter): Bus => {
      this.#adapters.add(adapter)
      return this
    }
    class Member extends BusAdapter {
      constructor(namespace: Namespace) {
        super(namespace, join)
      }
    }
    return Member as unknown as NonNullable<ServerOptions['adapter']>
  }

  async pass(from: BusAdapter, message: unknown): Promise<void> {
    await this.gate()
    const text = JSON.stringify(message)
    for (const adapter of this.#adapters) if (adapter !== from) adapter.onMessage(JSON.parse(text))
  }

  get size(): number {
    return this.#adapters.size
  }
}

class BusAdapter extends ClusterAdapter {
  readonly #bus: Bus

  constructor(namespace: Namespace, join: (adapter: BusAdapter) => Bus) {
    super(namespace)
    this.#bus = join(this)
  }

  override async serverCount(): Promise<number> {
    return this.#bus.size
  }

  override async doPublish(message: ClusterMessage): Promise<string> {
    await this.#bus.pass(this, message)
    return ''
  }

  override async doPublishResponse(_requester: string, response: ClusterResponse): Promise<void> {
    await this.#bus.pass(this, response)
  }

  // Messages come from outside of the class here.
  override onMessage(message: ClusterMessage, offset?: string): void {
    super.onMessage(message, offset)
  }
}
