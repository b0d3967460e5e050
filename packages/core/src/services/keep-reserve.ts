/** Pairs of name and error that are counted one by one. All further pairs are counted together, as one. */
const MAX_KEYS = 1000
const OTHER_KEY = ''

/** What has been kept of one name and error. */
class Kept {
  minute = -1
  second = -1
  count = 0
}

/**
 * Bounds the messages that option `keep` records: at least one of each name and error in a minute, and beyond that so many a
 * second, which names and errors share. Times are milliseconds of one monotonic clock.
 */
export class KeepReserve {
  readonly #perSecond: number
  #tokens: number
  #refilled: number
  readonly #keys = new Map<string, Kept>()
  #second = -1
  /** Names with their errors that came in this second, and in the one before. */
  #inUse = 0
  #wereInUse = 0

  constructor(perSecond: number, now: number) {
    this.#perSecond = perSecond
    this.#tokens = Math.max(1, perSecond)
    this.#refilled = now
  }

  /** True if one more message of this name and error may be recorded. */
  admit(name: string | undefined, type: string, now: number): boolean {
    const most = Math.max(1, this.#perSecond)
    this.#tokens = Math.min(most, this.#tokens + ((now - this.#refilled) * this.#perSecond) / 1000)
    this.#refilled = now
    const minute = Math.floor(now / 60_000)
    const kept = this.#of(`${name}\n${type}`, minute)
    const share = this.#shareOf(kept, Math.floor(now / 1000))
    if (kept.minute !== minute) {
      kept.minute = minute
      // The first of a minute may overdraw, by as much as comes in a second.
      this.#tokens = Math.max(-most, this.#tokens - 1)
    } else if (this.#tokens < 1 || (kept.count >= share && this.#tokens < most / 2)) return false
    else this.#tokens--
    kept.count++
    return true
  }

  #shareOf(kept: Kept, second: number): number {
    if (second !== this.#second) {
      this.#wereInUse = second === this.#second + 1 ? this.#inUse : 0
      this.#second = second
      this.#inUse = 0
    }
    if (kept.second !== second) {
      kept.second = second
      kept.count = 0
      this.#inUse++
    }
    return Math.max(1, this.#perSecond / Math.max(this.#inUse, this.#wereInUse))
  }

  #of(key: string, minute: number): Kept {
    let kept = this.#keys.get(key)
    if (kept !== undefined) return kept
    if (this.#keys.size >= MAX_KEYS) {
      for (const [old, { minute: last }] of this.#keys) if (last < minute) this.#keys.delete(old)
    }
    const bounded = this.#keys.size >= MAX_KEYS ? OTHER_KEY : key
    kept = this.#keys.get(bounded)
    if (kept === undefined) {
      kept = new Kept()
      this.#keys.set(bounded, kept)
    }
    return kept
  }
}
