/** Counts of durations in buckets a quarter of an octave wide, from which values can be taken out again. */
export class Durations {
  readonly #counts = new Uint32Array(128)
  #total = 0

  get count(): number {
    return this.#total
  }

  /** `milliseconds` from 1 µs up; shorter ones count as that. */
  add(milliseconds: number): void {
    this.#counts[bucket(milliseconds)]!++
    this.#total++
  }

  remove(milliseconds: number): void {
    this.#counts[bucket(milliseconds)]!--
    this.#total--
  }

  /** Milliseconds of the quantile, within 10 %; 0 when there is nothing. */
  quantile(q: number): number {
    const rank = Math.ceil(q * this.#total)
    let seen = 0
    for (let index = 0; index < this.#counts.length; index++) {
      seen += this.#counts[index]!
      if (seen >= rank && seen > 0) return 2 ** ((index + 0.5) / 4) / 1000
    }
    return 0
  }
}

function bucket(milliseconds: number): number {
  return Math.min(127, Math.max(0, Math.floor(4 * Math.log2(Math.max(milliseconds * 1000, 1)))))
}
