import { type Broadcast, override, recordOf, type Telemetry } from '@otel-ws/core/adapter'
import type { Adapter, BroadcastOptions, Client, Namespace, Packet } from './host.ts'
import { type Outgoing, outgoing, swapOutgoing } from './outgoing.ts'
import { encodedSize, isBinary } from './payload.ts'
import { isEmission } from './socket.ts'
import { transportOf } from './transport.ts'

/** One event on its way to the sockets of a namespace on this node. */
class Fanout implements Outgoing {
  readonly #broadcast: Broadcast | undefined
  readonly #namespace: string
  #encoded: unknown
  #size = 0
  #binary = false

  constructor(broadcast: Broadcast | undefined, namespace: string) {
    this.#broadcast = broadcast
    this.#namespace = namespace
  }

  written(client: Client, encoded: unknown): void {
    if (this.#encoded !== encoded) {
      this.#encoded = encoded
      this.#size = encodedSize(encoded)
      this.#binary = isBinary(encoded)
      this.#broadcast?.encoded(this.#binary, this.#size)
    }
    this.#broadcast?.sent()
    const connection = this.#connection(client)
    if (connection === undefined) return
    connection.counted(this.#binary, this.#size)
    transportOf(client.conn)?.written(client.conn, connection, undefined)
  }

  dropped(client: Client): void {
    const connection = this.#connection(client)
    if (connection !== undefined) connection.series.volatileDrops++
  }

  skipped(client: Client): void {
    const connection = this.#connection(client)
    if (connection !== undefined) connection.series.notOpen++
    this.#broadcast?.skipped()
  }

  #connection(client: Client) {
    const socket = client.nsps.get(this.#namespace)
    return socket === undefined ? undefined : recordOf(socket)
  }
}

/** Traces the broadcasts that this node starts by an adapter. Returns a function that gives the adapter its methods back. */
export function traceBroadcasts(
  adapter: Adapter,
  namespace: Namespace,
  telemetry: Telemetry,
  audience: { route: string; namespace: string },
): () => void {
  const own = { broadcast: adapter.broadcast, broadcastWithAck: adapter.broadcastWithAck }

  function hand(packet: Packet, publish: () => unknown): unknown {
    const broadcast = telemetry.broadcast(audience, String(packet.data?.[0]))
    const outer = swapOutgoing(new Fanout(broadcast, namespace.name))
    try {
      return broadcast === undefined ? publish() : broadcast.run(handOut, publish, undefined, undefined)
    } finally {
      swapOutgoing(outer)
    }
  }

  function broadcast(this: Adapter, packet: Packet, options: BroadcastOptions): unknown {
    if (isEmission(outgoing(), options.rooms)) return own.broadcast.call(this, packet, options)
    return hand(packet, () => own.broadcast.call(this, packet, options))
  }

  const undo = [override(adapter, 'broadcast', broadcast)]
  if (own.broadcastWithAck !== undefined) {
    undo.push(
      override(adapter, 'broadcastWithAck', function broadcastWithAck(this: Adapter, packet: Packet): unknown {
        const args = arguments as unknown as Parameters<NonNullable<Adapter['broadcastWithAck']>>
        return hand(packet, () => own.broadcastWithAck?.apply(this, args))
      }),
    )
  }
  return () => {
    for (const step of undo) step()
  }
}

function handOut(broadcast: Broadcast, publish: () => unknown): unknown {
  const result = publish()
  broadcast.distributed()
  return result
}
