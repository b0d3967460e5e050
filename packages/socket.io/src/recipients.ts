import { type FanoutSpan, tracedConnection } from '@otel-ws/core/adapter'
import type { Adapter, Client } from './host.ts'
import { transportOf } from './transport.ts'
import type { WriteObserver } from './write-observer.ts'

/** A packet that an adapter has encoded for the sockets of this node. */
export interface EncodedPacket {
  readonly name: string
  readonly binary: boolean
  readonly size: number
  readonly event: unknown
}

/** Counts the recipients of one fan-out. */
export class Recipients implements WriteObserver {
  readonly adapter: Adapter
  readonly #namespace: string
  readonly #packet: EncodedPacket
  readonly #span: FanoutSpan | null | undefined

  constructor(adapter: Adapter, namespace: string, packet: EncodedPacket, span: FanoutSpan | null | undefined) {
    this.adapter = adapter
    this.#namespace = namespace
    this.#packet = packet
    this.#span = span
  }

  /** Passes the packet to the span, in the context of the fan-out. */
  start(): void {
    const { binary, size, event } = this.#packet
    this.#span?.encoded(binary, size, event)
  }

  onFannedOut(): void {
    this.#span?.fanoutCompleted()
  }

  onWritten(client: Client): void {
    const connection = this.#connectionOf(client)
    this.#span?.sent(connection)
    if (connection === undefined) return
    connection.countSent(this.#packet.binary, this.#packet.size)
    connection.countByName(this.#packet.name, this.#packet.binary, 'broadcast')
    connection.broadcastSent++
    transportOf(client.conn)?.onWritten(client.conn, connection, undefined)
  }

  onDropped(client: Client): void {
    this.#span?.skipped()
    const connection = this.#connectionOf(client)
    if (connection !== undefined) connection.series.volatileDrops++
  }

  onSkipped(client: Client): void {
    this.#span?.skipped()
    const connection = this.#connectionOf(client)
    if (connection !== undefined) connection.series.notOpen++
  }

  #connectionOf(client: Client) {
    const socket = client.nsps.get(this.#namespace)
    return socket === undefined ? undefined : tracedConnection(socket)
  }
}
