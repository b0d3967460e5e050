/** The middle value; the mean of the two middle ones when there is an even number. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** The arithmetic mean. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** A mean, and the interval that contains the true one with a probability of 95 %. */
export interface Estimate {
  mean: number
  low: number
  high: number
}

/** The fewest rounds whose means give an interval; Student's factor for fewer is larger than any figure here bears. */
const LEAST_ROUNDS = 3

/** Student's factor for an interval of 95 %, by degrees of freedom from 1 on. */
const STUDENT = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131,
]
const NORMAL = 1.96

/**
 * Estimates the mean of values that were measured in rounds.
 *
 * Processes differ from each other by more than the slices of one process do. So the interval is computed from the means
 * of the rounds; with fewer than three rounds from all values, and then it does not include how processes differ. A
 * single value has no interval: `low` and `high` are the value.
 */
export function estimate(rounds: readonly (readonly number[])[]): Estimate {
  const measured = rounds.filter((values) => values.length > 0)
  const values = measured.length >= LEAST_ROUNDS ? measured.map(mean) : measured.flat()
  const middle = mean(values)
  if (values.length < 2) return { mean: middle, low: middle, high: middle }
  const degrees = values.length - 1
  const variance = values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / degrees
  const factor = STUDENT[degrees - 1] ?? NORMAL + 2.5 / degrees
  const half = factor * Math.sqrt(variance / values.length)
  return { mean: middle, low: middle - half, high: middle + half }
}

/** The same for ratios, whose logarithms are averaged: a ratio and its inverse then have inverse estimates. */
export function estimateRatio(rounds: readonly (readonly number[])[]): Estimate {
  const { mean: middle, low, high } = estimate(rounds.map((ratios) => ratios.map(Math.log)))
  return { mean: Math.exp(middle), low: Math.exp(low), high: Math.exp(high) }
}
