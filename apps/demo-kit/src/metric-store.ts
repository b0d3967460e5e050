import { type ExportResult, ExportResultCode } from '@opentelemetry/core'
import {
  DataPointType,
  type Histogram,
  type MetricData,
  type PushMetricExporter,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics'
import { mergeHistograms } from './histogram.ts'

/** The metrics of one collection, by name. */
export class MetricSnapshot {
  /** Time of the collection, in milliseconds since the epoch. */
  readonly time = Date.now()
  readonly metrics: ReadonlyMap<string, MetricData>

  constructor(metrics: readonly MetricData[]) {
    this.metrics = new Map(metrics.map((metric) => [metric.descriptor.name, metric]))
  }

  /** Adds up the data points of a counter or gauge whose attribute `key` has that value, or all of them. */
  sum(name: string, key?: string, value?: string): number {
    const metric = this.metrics.get(name)
    if (metric === undefined || !isNumeric(metric)) return 0
    return metric.dataPoints
      .filter((point) => key === undefined || point.attributes[key] === value)
      .reduce((sum, point) => sum + point.value, 0)
  }

  /** Adds up the data points of a histogram; undefined when nothing was recorded. */
  histogram(name: string): Histogram | undefined {
    const metric = this.metrics.get(name)
    if (metric?.dataPointType !== DataPointType.HISTOGRAM) return undefined
    return mergeHistograms(metric.dataPoints.map((point) => point.value))
  }
}

/** Distinguishes metrics whose data points are numbers from histograms. */
export function isNumeric(metric: MetricData): metric is Extract<MetricData, { dataPoints: { value: number }[] }> {
  return metric.dataPointType === DataPointType.SUM || metric.dataPointType === DataPointType.GAUGE
}

/** Metric exporter that keeps the last collection and passes it on. */
export class MetricStore implements PushMetricExporter {
  readonly #onSnapshot: (now: MetricSnapshot, before: MetricSnapshot | undefined) => void
  #last: MetricSnapshot | undefined

  constructor(onSnapshot: (now: MetricSnapshot, before: MetricSnapshot | undefined) => void) {
    this.#onSnapshot = onSnapshot
  }

  /** The last collection; undefined before the first. */
  get last(): MetricSnapshot | undefined {
    return this.#last
  }

  export(collected: ResourceMetrics, done: (result: ExportResult) => void): void {
    const before = this.#last
    this.#last = new MetricSnapshot(collected.scopeMetrics.flatMap((scope) => scope.metrics))
    this.#onSnapshot(this.#last, before)
    done({ code: ExportResultCode.SUCCESS })
  }

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {}
}
