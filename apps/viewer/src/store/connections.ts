import type { Span } from '../model.ts'
import { type Connection, create, forget, idOf, longestId, update } from './connection.ts'
import type { Operation } from './operation.ts'

/** One record per connection, built from the spans that carry its id; the oldest go first when there are too many. */
export class ConnectionStore {
  readonly #most: number
  /** In order of the last span. */
  readonly #connections = new Map<string, Connection>()
  #dropped = 0

  constructor(most: number) {
    this.#most = most
  }

  get count(): number {
    return this.#connections.size
  }

  get dropped(): number {
    return this.#dropped
  }

  get(id: string): Connection | undefined {
    return this.#connections.get(id)
  }

  values(): IterableIterator<Connection> {
    return this.#connections.values()
  }

  /** Adds a span; `parent` is its parent, where that is known. */
  add(span: Span, operation: Operation, parent?: Span): void {
    const id = idOf(span, operation)
    if (id === '' || id.length > longestId) return
    let connection = this.#connections.get(id)
    if (connection === undefined) connection = create(id, span)
    else this.#connections.delete(id)
    this.#connections.set(id, connection)
    update(connection, span, operation, parent)
    if (this.#connections.size > this.#most) this.#evict()
  }

  /** Notes how much waits to be sent to a connection, as another span than its own says. */
  noteBuffered(id: string, buffered: number, rtt: number | undefined): boolean {
    const connection = this.#connections.get(id)
    if (connection === undefined) return false
    connection.buffered = buffered
    connection.rtt = rtt ?? connection.rtt
    return true
  }

  /** Forgets a span that is no longer kept; the record of its connection stays. */
  remove(span: Span, operation: Operation): void {
    const id = idOf(span, operation)
    const connection = this.#connections.get(id)
    if (connection !== undefined) forget(connection, span, operation)
  }

  clear(): void {
    this.#connections.clear()
    this.#dropped = 0
  }

  #evict(): void {
    let victim: string | undefined
    let looked = 0
    for (const connection of this.#connections.values()) {
      victim ??= connection.id
      if (connection.state !== 'open') {
        victim = connection.id
        break
      }
      if (++looked === 64) break
    }
    this.#connections.delete(victim!)
    this.#dropped++
  }
}
