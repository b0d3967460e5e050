/** Something that must not stay open for ever. */
export interface Expirable {
  expire(reason: 'age' | 'shutdown'): void
}

/**
 * Holds what is open and ends it when it has been open for too long, or all of it at shutdown. All entries live
 * equally long, so the oldest always comes first and a sweep stops at the first young one.
 */
export class SpanDeadlines {
  readonly #maxAge: number
  readonly #entries = new Map<Expirable, number>()
  readonly #timer: Timer
  /** Whole milliseconds: a fraction would be a heap object wherever it is passed. */
  #now = Math.trunc(performance.now())

  constructor(maxAge: number) {
    this.#maxAge = maxAge
    // One timer for all entries: a timer made when an entry arrives would keep that caller's async context alive.
    this.#timer = unrefInterval(() => this.#sweep(), Math.min(10_000, Math.max(10, maxAge / 10)))
  }

  /** The time of the last sweep: coarse, and free of charge. */
  now(): number {
    return this.#now
  }

  get size(): number {
    return this.#entries.size
  }

  add(entry: Expirable): void {
    this.#entries.set(entry, performance.now() + this.#maxAge)
  }

  delete(entry: Expirable): void {
    this.#entries.delete(entry)
  }

  /** Ends everything and stops the timer. Entries added later are held until the next call. */
  shutdown(): void {
    clearInterval(this.#timer)
    for (const entry of this.#entries.keys()) {
      this.#entries.delete(entry)
      entry.expire('shutdown')
    }
  }

  #sweep(): void {
    const now = performance.now()
    this.#now = Math.trunc(now)
    for (const [entry, deadline] of this.#entries) {
      if (deadline > now) return
      this.#entries.delete(entry)
      entry.expire('age')
    }
  }
}

type Timer = ReturnType<typeof setInterval>

/** An interval that does not keep the process alive. */
export function unrefInterval(callback: () => void, milliseconds: number): Timer {
  return unref(setInterval(callback, milliseconds))
}

/** Has a timer not keep the process alive, where there is one. */
export function unref(timer: Timer): Timer {
  ;(timer as unknown as { unref?: () => void }).unref?.()
  return timer
}

/** The result of a promise; `undefined` if it takes longer. The process stays alive until then. */
export async function withTimeout<T>(promise: Promise<T>, milliseconds: number): Promise<T | undefined> {
  let timer: Timer | undefined
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, milliseconds, undefined)
  })
  try {
    return await Promise.race([promise, timeout])
  } finally {
    clearTimeout(timer)
  }
}
