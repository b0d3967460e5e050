import { unrefInterval } from '../context/deadlines.ts'
import type { OpenOperation } from './open-operation.ts'

/**
 * Ends operations that have been open for too long, or all of them at shutdown. All may be open equally long, so the
 * oldest comes first. The operations are the list: a `Map` would be rebuilt every few requests.
 */
export class OperationDeadlines {
  readonly #maxAge: number
  readonly #timer: ReturnType<typeof setInterval>
  #oldest: OpenOperation | undefined
  #newest: OpenOperation | undefined

  /** @param maxAge milliseconds that an operation may be open */
  constructor(maxAge: number) {
    this.#maxAge = maxAge
    // One timer for all: a timer made when an operation begins would keep that caller's async context alive.
    this.#timer = unrefInterval(() => this.#sweep(), Math.min(10_000, Math.max(10, maxAge / 10)))
  }

  add(operation: OpenOperation): void {
    const newest = this.#newest
    if (newest === undefined) this.#oldest = operation
    else {
      newest.newer = operation
      operation.older = newest
    }
    this.#newest = operation
  }

  /** Takes an operation out of the list, if it is in it. */
  delete(operation: OpenOperation): void {
    const { older, newer } = operation
    if (older !== undefined) older.newer = newer
    else if (this.#oldest === operation) this.#oldest = newer
    else return
    if (newer !== undefined) newer.older = older
    else this.#newest = older
    operation.older = undefined
    operation.newer = undefined
  }

  /** Ends all operations and stops the timer. Those that begin later are open until the next call. */
  shutdown(): void {
    clearInterval(this.#timer)
    for (let oldest = this.#oldest; oldest !== undefined; oldest = this.#oldest) this.#expire(oldest, 'shutdown')
  }

  #sweep(): void {
    const latest = performance.now() - this.#maxAge
    for (let oldest = this.#oldest; oldest !== undefined && oldest.startTime <= latest; oldest = this.#oldest) {
      this.#expire(oldest, 'age')
    }
  }

  #expire(operation: OpenOperation, reason: 'age' | 'shutdown'): void {
    this.delete(operation)
    operation.expire(reason)
  }
}
