/** An unbounded queue whose `next()` resolves with the oldest item, waiting for one when there is none. */
export class Queue<T> {
  readonly #items: T[] = []
  readonly #takers: { resolve: (item: T) => void; reject: (error: Error) => void }[] = []
  #ended: Error | undefined

  push(item: T): void {
    const taker = this.#takers.shift()
    if (taker) taker.resolve(item)
    else this.#items.push(item)
  }

  /** Items still queued can be taken; whoever waits beyond them gets the error. */
  end(error: Error): void {
    this.#ended ??= error
    for (const taker of this.#takers.splice(0)) taker.reject(error)
  }

  next(): Promise<T> {
    const item = this.#items.shift()
    if (item !== undefined) return Promise.resolve(item)
    if (this.#ended) return Promise.reject(this.#ended)
    return new Promise((resolve, reject) => this.#takers.push({ resolve, reject }))
  }

  /** Items that have come and have not been taken. */
  get size(): number {
    return this.#items.length
  }
}
