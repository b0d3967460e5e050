import type { Histogram } from '../model.ts'
import { limits } from './limits.ts'
import { type Fields, fields, list, number } from './values.ts'

/** Reads the buckets of a histogram point; undefined when counts and bounds do not fit each other. */
export function explicitHistogram(point: Fields): Histogram | undefined {
  const bounds = list(point, 'explicitBounds').map((bound) => number(bound) ?? Number.NaN)
  const counts = list(point, 'bucketCounts').map(bucketCount)
  // A sender may leave the buckets out and send count and sum only.
  if (counts.length === 0) return { bounds: [], counts: [bucketCount(point.count)], max: largest(point) }
  if (counts.length !== bounds.length + 1 || counts.length > limits.buckets) return undefined
  for (let index = 0; index < bounds.length; index++) {
    const bound = bounds[index]!
    if (!Number.isFinite(bound) || (index > 0 && bound <= bounds[index - 1]!)) return undefined
  }
  return { bounds, counts, max: largest(point) }
}

/**
 * Reads the buckets of an exponential histogram point as explicit ones. Neighbours are merged until at most 160 remain,
 * which at the usual scales keeps quantiles within a few percent.
 */
export function exponentialHistogram(point: Fields): Histogram | undefined {
  const scale = number(point.scale) ?? 0
  const positive = fields(point.positive)
  const negative = list(fields(point.negative), 'bucketCounts').reduce<number>(
    (sum, value) => sum + bucketCount(value),
    0,
  )
  const raw = list(positive, 'bucketCounts')
  if (!Number.isInteger(scale) || scale < -10 || scale > 20 || raw.length > 20 * limits.buckets) return undefined
  let shift = 0
  while (raw.length >> shift > 160) shift++
  const offset = number(positive.offset) ?? 0
  if (!Number.isInteger(offset) || Math.abs(offset) > 0x7fffffff) return undefined
  const base = 2 ** (2 ** -(scale - shift))
  const merged = new Map<number, number>()
  for (let index = 0; index < raw.length; index++) {
    const bucket = Math.floor((offset + index) / 2 ** shift)
    merged.set(bucket, (merged.get(bucket) ?? 0) + bucketCount(raw[index]))
  }
  const bounds = [0]
  const counts = [negative + bucketCount(point.zeroCount)]
  for (const [bucket, count] of merged) {
    const lower = base ** bucket
    const upper = base ** (bucket + 1)
    if (!Number.isFinite(upper) || !(upper > lower) || lower <= 0) return undefined
    if (bounds.length === 1) {
      bounds.push(lower)
      counts.push(0)
    }
    bounds.push(upper)
    counts.push(count)
  }
  counts.push(0)
  return { bounds, counts, max: largest(point) }
}

function bucketCount(value: unknown): number {
  const count = number(value)
  return count === undefined || !Number.isFinite(count) || count < 0 ? 0 : count
}

function largest(point: Fields): number {
  // A decoded message has a default on its prototype, which says nothing.
  const max = Object.hasOwn(point, 'max') ? number(point.max) : undefined
  return max === undefined || Number.isNaN(max) ? Number.POSITIVE_INFINITY : max
}
