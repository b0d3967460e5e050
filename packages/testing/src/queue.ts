import { DEFAULT_TIMEOUT } from './timeout.ts'

interface Taker<T> {
  readonly resolve: (item: T) => void
  readonly reject: (error: Error) => void
}

/** An unbounded queue whose `next()` resolves with the oldest item, waiting for one when there is none. */
export class Queue<T> {
  readonly #items: T[] = []
  readonly #takers: Taker<T>[] = []
  readonly #what: string
  #ended: Error | undefined

  /** @param what names an item, in the error of a wait that was in vain */
  constructor(what = 'item') {
    this.#what = what
  }

  push(item: T): void {
    const taker = this.#takers.shift()
    if (taker) taker.resolve(item)
    else this.#items.push(item)
  }

  /** Items still queued can be taken; every wait beyond them is rejected with the error. */
  end(error: Error): void {
    this.#ended ??= error
    for (const taker of this.#takers.splice(0)) taker.reject(error)
  }

  /**
   * Takes the next item.
   *
   * @throws after 5 s without an item, in CI 30 s, and as soon as the queue has ended
   */
  next(): Promise<T> {
    const item = this.#items.shift()
    if (item !== undefined) return Promise.resolve(item)
    if (this.#ended) return Promise.reject(this.#ended)
    return new Promise((resolve, reject) => {
      const taker: Taker<T> = {
        resolve(item) {
          clearTimeout(limit)
          resolve(item)
        },
        reject(error) {
          clearTimeout(limit)
          reject(error)
        },
      }
      const limit = setTimeout(() => {
        this.#takers.splice(this.#takers.indexOf(taker), 1)
        reject(new Error(`waited in vain for the next ${this.#what}`))
      }, DEFAULT_TIMEOUT)
      this.#takers.push(taker)
    })
  }

  /** Items that have come and have not been taken. */
  get size(): number {
    return this.#items.length
  }
}
