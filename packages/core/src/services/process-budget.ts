import { sharedBy } from './shared.ts'

/** The most spans that may start at once: the queue of the SDK's batch processor holds 2,048, with those of the application. */
const MAX_BURST = 512
/** Buckets of each table: what falls into the same bucket shares it. */
const BUCKETS = 1024
/** Milliseconds after which it is counted again how many buckets are in use, and how many spans a root has. */
const WINDOW = 250
/** Part of the rate that is divided among the buckets. The rest keeps tokens ready for what is rare. */
const SHARED = 0.75
/** Spreads the connections of different names over the table. */
const SPREAD = 0x9e3779b1

/** Shares in the rate: a fixed table of token buckets, each with a second's worth of its share. */
class Shares {
  readonly #tokens = new Float64Array(BUCKETS)
  readonly #refilled = new Float64Array(BUCKETS).fill(Number.NEGATIVE_INFINITY)
  readonly #usedIn = new Uint32Array(BUCKETS)
  #inUse = 0
  #wereInUse = 0
  /** The bucket that was read last. */
  #bucket = 0
  #hasSpent = false

  /**
   * True if the bucket of a key has a token. Call `spend` to take it.
   *
   * @param perMillisecond rate of all buckets together
   * @param window number of the present window
   * @param kept part of a full bucket that is left to others
   */
  has(key: number, perMillisecond: number, window: number, now: number, kept: number): boolean {
    const bucket = key & (BUCKETS - 1)
    this.#bucket = bucket
    this.#hasSpent = false
    if (this.#usedIn[bucket] !== window) {
      this.#usedIn[bucket] = window
      this.#inUse++
    }
    const share = perMillisecond / Math.max(this.#inUse, this.#wereInUse)
    const most = Math.max(1, share * 1000)
    const refilled = (this.#tokens[bucket] as number) + (now - (this.#refilled[bucket] as number)) * share
    const tokens = Math.min(most, refilled)
    this.#refilled[bucket] = now
    this.#tokens[bucket] = tokens
    return tokens >= Math.max(1, most * kept)
  }

  /** Takes the token of the bucket that was read last. */
  spend(): void {
    this.#tokens[this.#bucket] = (this.#tokens[this.#bucket] as number) - 1
    this.#hasSpent = true
  }

  /** Returns the token that was taken last. */
  giveBack(): void {
    if (this.#hasSpent) this.#tokens[this.#bucket] = (this.#tokens[this.#bucket] as number) + 1
    this.#hasSpent = false
  }

  /** A window has ended. */
  nextWindow(): void {
    this.#wereInUse = this.#inUse
    this.#inUse = 0
  }
}

/**
 * The spans that a process may start: a token bucket whose burst is a second's worth and at most {@link MAX_BURST}. A trace
 * that starts here takes a token, or is not recorded; the spans in it are charged, and never refused. While tokens are
 * few, names and connections that have used up their share are refused first, so that a flood of one name or connection
 * leaves the others theirs. Its memory is fixed. Times are milliseconds of one monotonic clock.
 */
export class ProcessBudget {
  #perMillisecond: number
  #capacity: number
  #tokens: number
  #refilled: number
  readonly #names = new Shares()
  /** Of a name on a connection. */
  readonly #pairs = new Shares()
  #window = 1
  #windowStart: number
  /** Roots that were recorded in this window, and spans in them. */
  #roots = 0
  #inside = 0
  /** Spans of a root with what it contains, as of late. */
  #spansPerRoot = 1

  constructor(perSecond: number, now: number) {
    this.#perMillisecond = perSecond / 1000
    this.#capacity = burstOf(perSecond)
    this.#tokens = this.#capacity
    this.#refilled = now
    this.#windowStart = now
  }

  /** Another user of the budget has this limit: the lower one holds. */
  lowerTo(perSecond: number): void {
    if (perSecond / 1000 >= this.#perMillisecond) return
    this.#perMillisecond = perSecond / 1000
    this.#capacity = burstOf(perSecond)
    this.#tokens = Math.min(this.#tokens, this.#capacity)
  }

  /**
   * Takes the token of a root; false if it must not be recorded.
   *
   * @param name number of the message's name
   * @param connection number of the connection
   */
  take(name: number, connection: number, now: number): boolean {
    this.#refill(now)
    const shared = (this.#perMillisecond * SHARED) / this.#spansPerRoot
    const pair = Math.imul(name, SPREAD) + connection
    const isPairWithin = this.#pairs.has(pair, shared, this.#window, now, 0)
    // Half of what a name has is for those of its connections that send little.
    const isNameWithin = this.#names.has(name, shared, this.#window, now, isPairWithin ? 0 : 0.5)
    const rank = (isNameWithin ? 0 : 2) + (isPairWithin ? 0 : 1)
    if (this.#tokens < 1 || this.#tokens < (this.#capacity * rank) / 16) return false
    if (isPairWithin) this.#pairs.spend()
    if (isNameWithin) this.#names.spend()
    this.#tokens--
    this.#roots++
    return true
  }

  /** The sampler has left out the root that has just taken its token. */
  giveBack(): void {
    this.#tokens = Math.min(this.#capacity, this.#tokens + 1)
    this.#roots--
    this.#names.giveBack()
    this.#pairs.giveBack()
  }

  /** A span inside of a root was recorded. */
  chargeInside(): void {
    this.#inside++
    this.charge()
  }

  /** A span was recorded that is never refused. */
  charge(): void {
    // A trace of very many spans does not refuse all others for longer than twice the burst takes to come back.
    this.#tokens = Math.max(-this.#capacity, this.#tokens - 1)
  }

  #refill(now: number): void {
    this.#tokens = Math.min(this.#capacity, this.#tokens + (now - this.#refilled) * this.#perMillisecond)
    this.#refilled = now
    if (now - this.#windowStart < WINDOW) return
    this.#windowStart = now
    this.#window = (this.#window + 1) >>> 0
    this.#names.nextWindow()
    this.#pairs.nextWindow()
    if (this.#roots > 0) this.#spansPerRoot = 1 + this.#inside / this.#roots
    this.#roots = 0
    this.#inside = 0
  }
}

function burstOf(perSecond: number): number {
  return Math.min(MAX_BURST, Math.max(1, perSecond))
}

/** The budget of a provider, which all servers of the process share. The lowest limit holds. */
export function processBudget(provider: object, perSecond: number): ProcessBudget {
  const budget = sharedBy(provider, 'budget', () => new ProcessBudget(perSecond, performance.now()))
  budget.lowerTo(perSecond)
  return budget
}
