import { DataPointType, type Histogram, type MetricData, type ResourceMetrics } from '@opentelemetry/sdk-metrics'
import type { Naming } from '../../dashboards/names.ts'

/** The value of one series. */
export interface Sample {
  /** Name and labels, as Prometheus writes them. */
  readonly series: string
  readonly value: number
}

const UNITS: Readonly<Record<string, string>> = { s: 'seconds', By: 'bytes', ms: 'milliseconds' }

/** A collection as a receiver of OTLP stores it, or as the Prometheus exporter of the SDK writes it (`plain`). */
export function samplesOf(collected: ResourceMetrics, naming: Naming, job: string): Sample[] {
  return collected.scopeMetrics.flatMap(({ metrics }) =>
    metrics.flatMap((metric) => samplesOfMetric(metric, naming, job)),
  )
}

function samplesOfMetric(metric: MetricData, naming: Naming, job: string): Sample[] {
  const { name, unit } = metric.descriptor
  const suffix = naming === 'suffixes' ? UNITS[unit] : undefined
  const base = [name.replaceAll('.', '_'), suffix].filter((part) => part !== undefined).join('_')
  const isCounter = metric.dataPointType === DataPointType.SUM && metric.isMonotonic
  return metric.dataPoints.flatMap(({ attributes, value }) => {
    const labels = { job, instance: 'one', ...attributes }
    if (metric.dataPointType !== DataPointType.HISTOGRAM) {
      return [{ series: seriesOf(isCounter ? `${base}_total` : base, labels), value: value as number }]
    }
    const { buckets, count, sum } = value as Histogram
    let below = 0
    const counts = buckets.counts.map((inBucket, index) => {
      below += inBucket
      const le = index < buckets.boundaries.length ? String(buckets.boundaries[index]) : '+Inf'
      return { series: seriesOf(`${base}_bucket`, { ...labels, le }), value: below }
    })
    return [
      ...counts,
      { series: seriesOf(`${base}_count`, labels), value: count },
      { series: seriesOf(`${base}_sum`, labels), value: sum ?? 0 },
    ]
  })
}

function seriesOf(name: string, labels: Readonly<Record<string, unknown>>): string {
  const pairs = Object.entries(labels).map(
    ([key, value]) => `${key.replaceAll('.', '_')}=${JSON.stringify(String(value))}`,
  )
  return `${name}{${pairs.join(',')}}`
}
