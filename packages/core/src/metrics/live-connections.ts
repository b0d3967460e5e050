/** An open connection, as the gauges read it. */
export interface LiveConnection {
  bufferedAmount(): number
  /** Buffered bytes above which it counts as slow. */
  readonly slowBytes: number
  /** True if it has had no message for a while; `undefined` if that is not measured. */
  readonly isIdle: boolean | undefined
  /** Its neighbours in the list of open connections. */
  older: LiveConnection | undefined
  newer: LiveConnection | undefined
}

/** The open connections, as a linked list through themselves: an entry in a `Set` would cost each of them 40 B. */
export class LiveConnections {
  size = 0
  #newest: LiveConnection | undefined

  add(connection: LiveConnection): void {
    connection.older = this.#newest
    if (this.#newest !== undefined) this.#newest.newer = connection
    this.#newest = connection
    this.size++
  }

  /** Removes a connection, if it is in the list. */
  delete(connection: LiveConnection): void {
    const { older, newer } = connection
    if (newer === undefined && connection !== this.#newest) return
    if (older !== undefined) older.newer = newer
    if (newer === undefined) this.#newest = older
    else newer.older = older
    connection.older = undefined
    connection.newer = undefined
    this.size--
  }

  *[Symbol.iterator](): IterableIterator<LiveConnection> {
    for (let at = this.#newest; at !== undefined; at = at.older) yield at
  }
}
