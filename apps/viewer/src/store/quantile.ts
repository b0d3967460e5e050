/** Adds up histograms, also such that do not share their bounds, and computes their quantiles. */
export class BucketSum {
  /** Upper bound → lower bound and count. */
  readonly #buckets = new Map<number, { readonly lower: number; count: number }>()
  #count = 0
  #max = Number.NEGATIVE_INFINITY

  get count(): number {
    return this.#count
  }

  /** `max`: no value was above it; infinite where that is not known. */
  add(bounds: readonly number[], counts: readonly number[], max = Number.POSITIVE_INFINITY): void {
    const before = this.#count
    for (let index = 0; index < counts.length; index++) {
      const count = counts[index]!
      if (count <= 0) continue
      const upper = bounds[index] ?? Number.POSITIVE_INFINITY
      const lower = index === 0 ? Math.min(0, upper) : (bounds[index - 1] ?? 0)
      const bucket = this.#buckets.get(upper)
      if (bucket === undefined) this.#buckets.set(upper, { lower, count })
      else bucket.count += count
      this.#count += count
    }
    if (this.#count > before) this.#max = Math.max(this.#max, max)
  }

  /**
   * The quantile, interpolated within its bucket and never above the largest value; null when nothing was added. Where
   * the largest value is not known, one beyond the last bound is taken for that bound.
   */
  quantile(q: number): number | null {
    if (this.#count === 0) return null
    const buckets = [...this.#buckets].sort(([a], [b]) => a - b)
    const rank = q * this.#count
    let seen = 0
    for (const [upper, { lower, count }] of buckets) {
      if (seen + count >= rank) {
        const top = Math.min(upper, this.#max)
        if (top === Number.POSITIVE_INFINITY) return lower
        return top <= lower ? top : lower + (top - lower) * Math.max(0, (rank - seen) / count)
      }
      seen += count
    }
    return null
  }
}
