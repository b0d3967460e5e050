import type { Attributes } from '@opentelemetry/api'
import { DataPointType, type MetricData } from '@opentelemetry/sdk-metrics'

/** One data point of one instrument. */
export interface MetricRow {
  readonly name: string
  readonly unit: string
  readonly type: 'counter' | 'updown' | 'gauge' | 'histogram'
  readonly attributes: Attributes
  /** Of counters, up-down counters and gauges. */
  readonly value?: number
  /** Of histograms. */
  readonly count?: number
  readonly sum?: number
  readonly boundaries?: readonly number[]
}

/** Returns a row for each data point of an instrument. */
export function metricRows(metric: MetricData): MetricRow[] {
  const { name, unit } = metric.descriptor
  switch (metric.dataPointType) {
    case DataPointType.SUM: {
      const type = metric.isMonotonic ? 'counter' : 'updown'
      return metric.dataPoints.map(({ attributes, value }) => ({ name, unit, type, attributes, value }))
    }
    case DataPointType.GAUGE:
      return metric.dataPoints.map(({ attributes, value }) => ({ name, unit, type: 'gauge', attributes, value }))
    case DataPointType.HISTOGRAM:
      return metric.dataPoints.map(({ attributes, value }) => ({
        name,
        unit,
        type: 'histogram',
        attributes,
        count: value.count,
        sum: value.sum ?? 0,
        boundaries: value.buckets.boundaries,
      }))
    default:
      throw new Error(`unexpected kind of data points: ${metric.dataPointType}`)
  }
}
