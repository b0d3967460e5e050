import { type FanoutSpan, tracedConnection } from '@otel-ws/core/adapter'
import type { Client } from './host.ts'
import type { Outgoing } from './outgoing.ts'
import { transportOf } from './transport.ts'

/** One event on its way to the sockets of a namespace on this node. */
export class Recipients implements Outgoing {
  readonly #distribution: FanoutSpan | null
  readonly #namespace: string
  readonly #binary: boolean
  readonly #size: number

  constructor(distribution: FanoutSpan | null, namespace: string, binary: boolean, size: number) {
    this.#distribution = distribution
    this.#namespace = namespace
    this.#binary = binary
    this.#size = size
  }

  written(client: Client): void {
    this.#distribution?.sent()
    const connection = this.#connection(client)
    if (connection === undefined) return
    connection.countSent(this.#binary, this.#size)
    transportOf(client.conn)?.written(client.conn, connection, undefined)
  }

  dropped(client: Client): void {
    this.#distribution?.skipped()
    const connection = this.#connection(client)
    if (connection !== undefined) connection.series.volatileDrops++
  }

  skipped(client: Client): void {
    this.#distribution?.skipped()
    const connection = this.#connection(client)
    if (connection !== undefined) connection.series.notOpen++
  }

  #connection(client: Client) {
    const socket = client.nsps.get(this.#namespace)
    return socket === undefined ? undefined : tracedConnection(socket)
  }
}
