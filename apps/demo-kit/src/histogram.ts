import type { Histogram } from '@opentelemetry/sdk-metrics'

/** Adds up histograms with equal bucket boundaries; `undefined` for an empty list. */
export function mergeHistograms(histograms: readonly Histogram[]): Histogram | undefined {
  const [first] = histograms
  if (first === undefined) return undefined
  return {
    buckets: {
      boundaries: first.buckets.boundaries,
      counts: first.buckets.counts.map((_, bucket) => total(histograms.map((one) => one.buckets.counts[bucket] ?? 0))),
    },
    sum: total(histograms.map((one) => one.sum ?? 0)),
    count: total(histograms.map((one) => one.count)),
    min: Math.min(...histograms.map((one) => one.min ?? Number.POSITIVE_INFINITY)),
    max: Math.max(...histograms.map((one) => one.max ?? Number.NEGATIVE_INFINITY)),
  }
}

/** Returns what was recorded since an earlier state of a cumulative histogram. Minimum and maximum are those of the whole. */
export function histogramSince(now: Histogram, before: Histogram | undefined): Histogram {
  if (before === undefined) return now
  return {
    ...now,
    buckets: {
      boundaries: now.buckets.boundaries,
      counts: now.buckets.counts.map((count, bucket) => count - (before.buckets.counts[bucket] ?? 0)),
    },
    sum: (now.sum ?? 0) - (before.sum ?? 0),
    count: now.count - before.count,
  }
}

/** Estimates a quantile by interpolating in its bucket, within the recorded extremes; undefined when empty. */
export function quantile(histogram: Histogram, share: number): number | undefined {
  if (histogram.count === 0) return undefined
  const { boundaries, counts } = histogram.buckets
  const min = histogram.min ?? 0
  const max = histogram.max ?? Number.POSITIVE_INFINITY
  let rank = share * histogram.count
  for (const [bucket, count] of counts.entries()) {
    if (count > 0 && rank <= count) {
      const low = Math.max(boundaries[bucket - 1] ?? min, min)
      const high = Math.min(boundaries[bucket] ?? max, max)
      return low + (high - low) * (rank / count)
    }
    rank -= count
  }
  return max
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}
