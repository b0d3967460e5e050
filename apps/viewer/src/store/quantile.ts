/** Adds up histograms, also such that do not share their bounds, and tells their quantiles. */
export class BucketSum {
  /** Upper bound → lower bound and count. */
  readonly #buckets = new Map<number, { readonly lower: number; count: number }>()
  #count = 0

  get count(): number {
    return this.#count
  }

  add(bounds: readonly number[], counts: readonly number[]): void {
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
  }

  /**
   * The quantile, interpolated within its bucket; null when nothing was added. A value beyond the last bound is told
   * as that bound, the most that is known of it.
   */
  quantile(q: number): number | null {
    if (this.#count === 0) return null
    const buckets = [...this.#buckets].sort(([a], [b]) => a - b)
    const rank = q * this.#count
    let seen = 0
    for (const [upper, { lower, count }] of buckets) {
      if (seen + count >= rank) {
        if (upper === Number.POSITIVE_INFINITY) return lower
        return lower + (upper - lower) * Math.max(0, (rank - seen) / count)
      }
      seen += count
    }
    return null
  }
}
