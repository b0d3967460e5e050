import type { Series } from '../store/metrics.ts'
import { attributesOf, nanoseconds } from './otlp.ts'

const delta = 1

/** Series as OTLP/JSON: what is kept of a counter or histogram is what happened between two points, so they are deltas. */
export function metricsOf(all: Iterable<Series>): unknown[] {
  const processes = new Map<string, { service: string; instance: string; metrics: unknown[] }>()
  for (const series of all) {
    if (series.samples.length === 0) continue
    const { service, instance } = series
    const key = `${service}\n${instance}`
    const process = processes.get(key) ?? { service, instance, metrics: [] }
    processes.set(key, process)
    process.metrics.push(metricOf(series))
  }
  return [...processes.values()].map(({ service, instance, metrics }) => ({
    resource: {
      attributes: attributesOf([
        ['service.name', service],
        ...(instance === '' ? [] : [['service.instance.id', instance] as const]),
      ]),
    },
    scopeMetrics: [{ metrics }],
  }))
}

function metricOf(series: Series) {
  const { name, unit, description, kind } = series
  const attributes = attributesOf(series.attributes)
  const times = (from: number, to: number) => ({
    startTimeUnixNano: nanoseconds(from),
    timeUnixNano: nanoseconds(to),
    attributes,
  })
  const common = { name, unit, description }
  if (kind === 'gauge') {
    const dataPoints = series.samples.map(({ from, to, value }) => ({ ...times(from, to), asDouble: value }))
    return { ...common, gauge: { dataPoints } }
  }
  if (kind === 'counter') {
    const dataPoints = series.samples.map(({ from, to, value }) => ({ ...times(from, to), asDouble: value }))
    return { ...common, sum: { aggregationTemporality: delta, isMonotonic: true, dataPoints } }
  }
  const dataPoints = series.samples.map(({ from, to, value, counts = [], max }) => ({
    ...times(from, to),
    sum: value,
    count: String(counts.reduce((sum, count) => sum + count, 0)),
    bucketCounts: counts.map(String),
    explicitBounds: series.bounds,
    ...(max !== undefined && Number.isFinite(max) && { max }),
  }))
  return { ...common, histogram: { aggregationTemporality: delta, dataPoints } }
}
