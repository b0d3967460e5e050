import { textAttribute } from '../model.ts'
import type { Sample, Series } from './metrics.ts'
import { BucketSum } from './quantile.ts'

/** Equal steps of time that a chart is drawn over, epoch milliseconds. */
export interface Range {
  readonly from: number
  readonly step: number
  readonly steps: number
}

/** A range that ends now, on whole steps, so that values do not jitter from one update to the next. */
export function rangeUntil(now: number, windowMs: number, steps: number): Range {
  const step = windowMs / steps
  return { from: Math.ceil(now / step) * step - windowMs, step, steps }
}

/** A range with bounds of its own. */
export function rangeBetween(from: number, to: number, steps: number): Range {
  return { from, step: (to - from) / steps, steps }
}

export type Values = (number | null)[]

/** How long a level is taken to last when no further point comes, in times of the interval between its points. */
const patience = 2.5

/** Groups series by the value of an attribute, or all under one key. */
export function groupBy(series: readonly Series[], attribute: string): Map<string, Series[]> {
  const groups = new Map<string, Series[]>()
  for (const one of series) {
    const key = attribute === '' ? '' : textAttribute(one.attributes, attribute)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [one])
    else group.push(one)
  }
  return groups
}

/** Sum of the levels of gauges, step by step; null where none is known. */
export function levels(series: readonly Series[], range: Range): Values {
  const sums: Values = new Array<number | null>(range.steps).fill(null)
  for (const { samples } of series) {
    const own: Values = new Array<number | null>(range.steps).fill(null)
    samples.forEach((sample, index) => {
      const next = samples[index + 1]
      const until = next?.to ?? sample.to + patience * Math.max(sample.to - sample.from, range.step)
      eachStep(range, sample.to - (sample.to - sample.from) / 2, until, (step) => {
        own[step] = sample.value
      })
    })
    add(sums, own)
  }
  return sums
}

/**
 * Increase per second of counters (or of the counts of histograms), step by step; null where nothing is known, or not
 * yet of all: a sum over some of the processes would look like a drop.
 */
export function rates(series: readonly Series[], range: Range): Values {
  const sums: Values = new Array<number | null>(range.steps).fill(null)
  const until = toldUntil(series)
  for (const { samples } of series) {
    const counted = new Float64Array(range.steps)
    const covered = new Float64Array(range.steps)
    for (const sample of samples) {
      const length = sample.to - sample.from
      if (length <= 0) continue
      const perMs = increase(sample) / length
      eachStep(range, sample.from, sample.to, (step, share) => {
        counted[step]! += perMs * share
        covered[step]! += share
      })
    }
    // Over the time that is covered, not the whole step: the first and last step would else look like a drop.
    add(
      sums,
      Array.from(counted, (value, step) => (covered[step]! > 0 ? (value * 1000) / covered[step]! : null)),
    )
  }
  return sums.map((sum, step) => (range.from + step * range.step < until ? sum : null))
}

/** Until when all series have reported what happened, leaving out those that have ended. */
function toldUntil(series: readonly Series[]): number {
  const last = series.flatMap(({ samples }) => samples.at(-1) ?? [])
  const newest = Math.max(...last.map(({ to }) => to))
  return Math.min(...last.filter(({ from, to }) => to + patience * (to - from) > newest).map(({ to }) => to))
}

/**
 * Increase of counters (or of the counts of histograms) in the step in which it was reported; null where nothing is known.
 * Whole, as opposed to `rates`: one close is one close, not a fraction of one in each of several steps.
 */
export function increases(series: readonly Series[], range: Range): Values {
  const sums: Values = new Array<number | null>(range.steps).fill(null)
  for (const { samples } of series) {
    for (const sample of samples) {
      const step = Math.ceil((sample.to - range.from) / range.step) - 1
      if (step >= 0 && step < range.steps) sums[step] = (sums[step] ?? 0) + increase(sample)
    }
  }
  return sums
}

/** Quantiles of histograms, step by step; null where nothing was recorded. */
export function quantiles(series: readonly Series[], range: Range, qs: readonly number[]): Values[] {
  const sums = Array.from({ length: range.steps }, () => new BucketSum())
  for (const { samples, bounds } of series) {
    for (const { from, to, counts, max } of samples) {
      if (counts === undefined) continue
      eachStep(range, from, to, (step) => sums[step]!.add(bounds, counts, max))
    }
  }
  return qs.map((q) => sums.map((sum) => sum.quantile(q)))
}

/** All that histograms recorded within the range. */
export function total(series: readonly Series[], range: Range): { sum: BucketSum; seconds: number } {
  const sum = new BucketSum()
  let first = Number.POSITIVE_INFINITY
  let last = 0
  for (const { samples, bounds } of series) {
    for (const sample of samples) {
      if (sample.counts === undefined || sample.to <= range.from) continue
      sum.add(bounds, sample.counts, sample.max)
      first = Math.min(first, sample.from)
      last = Math.max(last, sample.to)
    }
  }
  return { sum, seconds: last > first ? (last - first) / 1000 : 0 }
}

function increase(sample: Sample): number {
  return sample.counts === undefined ? sample.value : sample.counts.reduce((sum, count) => sum + count, 0)
}

/** Calls `visit` for every step that (`from`, `to`] touches, with the milliseconds that it shares with it. */
function eachStep(range: Range, from: number, to: number, visit: (step: number, share: number) => void): void {
  const first = Math.max(0, Math.floor((from - range.from) / range.step))
  const last = Math.min(range.steps - 1, Math.ceil((to - range.from) / range.step) - 1)
  for (let step = first; step <= last; step++) {
    const start = range.from + step * range.step
    const share = Math.min(to, start + range.step) - Math.max(from, start)
    if (share > 0) visit(step, share)
  }
}

function add(sums: Values, own: Values): void {
  own.forEach((value, step) => {
    if (value !== null) sums[step] = (sums[step] ?? 0) + value
  })
}
