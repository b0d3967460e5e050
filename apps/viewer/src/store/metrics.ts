import type { Attribute, Exemplar, Histogram, MetricPoint } from '../model.ts'

/** What happened to a series in (`from`, `to`], epoch milliseconds. */
export interface Sample {
  readonly from: number
  readonly to: number
  /** Level of a gauge, increase of a counter, increase of a histogram's sum. */
  readonly value: number
  /** Increase of a histogram's buckets. */
  readonly counts?: readonly number[]
  /** No value of a histogram was above this. */
  readonly max?: number
}

export interface Series {
  readonly key: string
  readonly name: string
  readonly unit: string
  readonly description: string
  readonly kind: MetricPoint['kind']
  readonly attributes: readonly Attribute[]
  readonly service: string
  readonly instance: string
  bounds: readonly number[]
  samples: Sample[]
  /** The newest, at most 32. */
  exemplars: Exemplar[]
  /** The cumulative state that the next point is compared with. */
  last: { start: number; time: number; value: number; counts: readonly number[] } | undefined
}

export interface MetricLimits {
  readonly maxSeries: number
  /** Over all series. */
  readonly maxSamples: number
}

/** Samples of a series kept at most, however few series there are. */
const samplesPerSeries = 720

/** How far the clock of a sender may be behind this one, in milliseconds. */
const clockTolerance = 5_000

/** Below this a counter's first interval says nothing of its rate, in milliseconds. */
const credibleInterval = 100

/** Metric points as what happened between two of them, per series, within limits: what is oldest goes first. */
export class MetricStore {
  readonly #limits: MetricLimits
  readonly #since: number
  /** In order of the last point. */
  readonly #series = new Map<string, Series>()
  /** Times of the last two exports of each process, so that a series that is new can be kept apart from one that is only new here. */
  readonly #exports = new Map<string, { time: number; before: number }>()
  #dropped = 0
  #version = 0

  /** `since`: when the viewer started, epoch milliseconds; what was counted earlier is a baseline, not an increase. */
  constructor(limits: MetricLimits, since: number) {
    this.#limits = limits
    this.#since = since
  }

  get seriesCount(): number {
    return this.#series.size
  }

  /** Series that were dropped to make room. */
  get dropped(): number {
    return this.#dropped
  }

  get version(): number {
    return this.#version
  }

  all(): IterableIterator<Series> {
    return this.#series.values()
  }

  named(name: string): Series[] {
    return [...this.#series.values()].filter((series) => series.name === name)
  }

  add(point: MetricPoint): void {
    const key = seriesKey(point)
    let series = this.#series.get(key)
    if (series === undefined) series = create(key, point)
    else this.#series.delete(key)
    this.#series.set(key, series)
    this.#version++
    const sample = this.#sample(series, point, this.#previousExport(point))
    if (sample !== undefined) series.samples.push(sample)
    if (point.exemplars !== undefined) noteExemplars(series, point.exemplars)
    if (this.#series.size > this.#limits.maxSeries) {
      this.#series.delete(this.#series.keys().next().value!)
      this.#dropped++
    }
    const most = Math.max(8, Math.min(samplesPerSeries, Math.floor(this.#limits.maxSamples / this.#series.size)))
    // Cut in steps: shifting an array by one for every point would cost more than the point.
    if (series.samples.length > most * 1.25) series.samples = series.samples.slice(-most)
  }

  clear(): void {
    for (const series of this.#series.values()) {
      series.samples = []
      series.exemplars = []
    }
    this.#dropped = 0
    this.#version++
  }

  /** When the process last exported before this point; 0 when it never did. */
  #previousExport({ resource, time }: MetricPoint): number {
    const key = `${resource.service}\n${resource.instance}`
    const known = this.#exports.get(key)
    if (known === undefined) {
      if (this.#exports.size >= this.#limits.maxSeries) this.#exports.clear()
      this.#exports.set(key, { time, before: 0 })
      return 0
    }
    if (time > known.time) {
      known.before = known.time
      known.time = time
    }
    return known.before
  }

  #sample(series: Series, point: MetricPoint, exportedBefore: number): Sample | undefined {
    const previous = series.last
    const counts = point.histogram?.counts ?? []
    if (previous !== undefined && point.time <= previous.time) return undefined
    series.last = { start: point.start, time: point.time, value: point.value, counts }
    if (point.histogram !== undefined && !sameBounds(series.bounds, point.histogram)) {
      series.bounds = point.histogram.bounds
      series.samples = []
      if (previous !== undefined) return undefined
    }
    if (point.kind === 'gauge') return { from: previous?.time ?? point.time - 1000, to: point.time, value: point.value }
    const withCounts = (from: number, value: number, increase: readonly number[]): Sample =>
      point.histogram === undefined
        ? { from, to: point.time, value }
        : { from, to: point.time, value, counts: increase, max: point.histogram.max }
    if (point.delta) return withCounts(point.start || (previous?.time ?? point.time - 1000), point.value, counts)
    const restarted =
      previous !== undefined &&
      (point.start > previous.start ||
        (point.kind === 'counter' && point.value < previous.value) ||
        counts.some((count, index) => count < (previous.counts[index] ?? 0)))
    if (previous === undefined || restarted) {
      // What a process has counted is an increase only if we know since when: an export without this series, or its start.
      const from = exportedBefore || point.start
      if (from < this.#since - clockTolerance) return undefined
      // Observed counters may carry the time of their first observation as start, which is that of the export itself.
      if (point.kind === 'counter' && point.time - from < credibleInterval) return undefined
      // A first record and its export may share their millisecond; what happened took some time all the same.
      return withCounts(Math.min(from, point.time - 1), point.value, counts)
    }
    return withCounts(
      previous.time,
      point.value - previous.value,
      counts.map((count, index) => count - (previous.counts[index] ?? 0)),
    )
  }
}

/** A cumulative point brings exemplars once more that an earlier one has brought. */
function noteExemplars(series: Series, exemplars: readonly Exemplar[]): void {
  const isNew = (one: Exemplar) =>
    !series.exemplars.some((known) => known.traceId === one.traceId && known.spanId === one.spanId)
  series.exemplars = [...series.exemplars, ...exemplars.filter(isNew)].sort((a, b) => a.time - b.time).slice(-32)
}

function create(key: string, point: MetricPoint): Series {
  return {
    key,
    name: point.name,
    unit: point.unit,
    description: point.description,
    kind: point.kind,
    attributes: point.attributes,
    service: point.resource.service,
    instance: point.resource.instance,
    bounds: point.histogram?.bounds ?? [],
    samples: [],
    exemplars: [],
    last: undefined,
  }
}

function seriesKey(point: MetricPoint): string {
  const attributes = [...point.attributes].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return JSON.stringify([point.resource.service, point.resource.instance, point.name, point.kind, attributes])
}

function sameBounds(bounds: readonly number[], histogram: Histogram): boolean {
  return bounds.length === histogram.bounds.length && bounds.every((bound, index) => bound === histogram.bounds[index])
}
