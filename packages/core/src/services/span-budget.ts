/** A token bucket that holds one second's worth of spans. Times are milliseconds of one monotonic clock. */
export class SpanBudget {
  readonly #perMillisecond: number
  readonly #capacity: number
  #tokens: number
  #refilled: number

  constructor(perSecond: number, now: number) {
    this.#perMillisecond = perSecond / 1000
    this.#capacity = Math.max(1, perSecond)
    this.#tokens = this.#capacity
    this.#refilled = now
  }

  /** Takes one token; `false` when there is none. */
  take(now: number): boolean {
    this.#tokens = Math.min(this.#capacity, this.#tokens + (now - this.#refilled) * this.#perMillisecond)
    this.#refilled = now
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }

  /** Returns a token that was taken. */
  giveBack(): void {
    this.#tokens = Math.min(this.#capacity, this.#tokens + 1)
  }
}
