import type { Exemplar, Histogram, MetricKind, MetricPoint, Resource } from '../model.ts'
import { explicitHistogram, exponentialHistogram } from './histograms.ts'
import { limits } from './limits.ts'
import { readResource } from './resource.ts'
import type { ReadResult } from './spans.ts'
import { attributes, type Fields, fields, id, list, milliseconds, nanoseconds, number, shared, text } from './values.ts'

const delta = 1
const cumulative = 2

/** Reads a metrics request, protobuf or JSON. Invalid points are counted; a request that is no metrics request throws. */
export function readMetrics(request: unknown): ReadResult<MetricPoint> {
  const items: MetricPoint[] = []
  let rejected = 0
  let reason = ''
  for (const group of list(fields(request), 'resourceMetrics')) {
    const resource = readResource(fields(group).resource)
    for (const scoped of list(fields(group), 'scopeMetrics')) {
      for (const value of list(fields(scoped), 'metrics')) {
        for (const point of readMetric(fields(value), resource)) {
          if (typeof point === 'string') {
            rejected++
            reason ||= point
          } else items.push(point)
        }
      }
    }
  }
  return { items, rejected, reason }
}

interface Instrument {
  readonly name: string
  readonly unit: string
  readonly description: string
  readonly kind: MetricKind
  readonly delta: boolean
  readonly resource: Resource
}

function* readMetric(metric: Fields, resource: Resource): Generator<MetricPoint | string> {
  const name = shared(text(metric.name, limits.nameLength))
  if (name === '') return yield 'a metric without a name'
  const instrument = (kind: MetricKind, data: Fields): Instrument => ({
    name,
    unit: shared(text(metric.unit, limits.nameLength)),
    description: shared(text(metric.description, limits.valueLength)),
    kind,
    delta: temporality(data.aggregationTemporality) === delta,
    resource,
  })
  if (own(metric, 'gauge')) {
    const data = fields(metric.gauge)
    for (const point of list(data, 'dataPoints')) yield readNumber(instrument('gauge', data), fields(point))
  } else if (own(metric, 'sum')) {
    const data = fields(metric.sum)
    // A sum that can go down is a level, and is drawn as one; its deltas would have to be added up from an unknown start.
    const level = data.isMonotonic !== true
    if (level && temporality(data.aggregationTemporality) === delta) {
      return yield `${name}: a non-monotonic sum with delta temporality has no known level`
    }
    const read = instrument(level ? 'gauge' : 'counter', data)
    for (const point of list(data, 'dataPoints')) yield readNumber(read, fields(point))
  } else if (own(metric, 'histogram')) {
    const data = fields(metric.histogram)
    for (const point of list(data, 'dataPoints')) {
      yield readHistogram(instrument('histogram', data), fields(point), explicitHistogram(fields(point)))
    }
  } else if (own(metric, 'exponentialHistogram')) {
    const data = fields(metric.exponentialHistogram)
    for (const point of list(data, 'dataPoints')) {
      yield readHistogram(instrument('histogram', data), fields(point), exponentialHistogram(fields(point)))
    }
  } else {
    yield `${name}: of a type that the viewer does not read (it reads gauges, sums and histograms)`
  }
}

function own(message: Fields, name: string): boolean {
  return Object.hasOwn(message, name) && message[name] !== null
}

function temporality(value: unknown): number {
  if (value === 'AGGREGATION_TEMPORALITY_DELTA') return delta
  return value === delta ? delta : cumulative
}

function readNumber(instrument: Instrument, point: Fields): MetricPoint | string {
  const value = number(own(point, 'asInt') ? point.asInt : point.asDouble)
  if (value === undefined || !Number.isFinite(value)) return `${instrument.name}: a point without a finite value`
  return withTime(instrument, point, { value })
}

function readHistogram(instrument: Instrument, point: Fields, histogram: Histogram | undefined): MetricPoint | string {
  if (histogram === undefined) return `${instrument.name}: a histogram whose counts do not fit its bounds`
  const sum = number(point.sum)
  return withTime(instrument, point, { value: sum !== undefined && Number.isFinite(sum) ? sum : 0, histogram })
}

function withTime(
  instrument: Instrument,
  point: Fields,
  read: { value: number; histogram?: Histogram },
): MetricPoint | string {
  const time = nanoseconds(point.timeUnixNano)
  if (time === undefined) return `${instrument.name}: a point without a valid time`
  const start = nanoseconds(point.startTimeUnixNano)
  const exemplars = readExemplars(point)
  return {
    ...instrument,
    ...read,
    ...(exemplars.length > 0 && { exemplars }),
    attributes: attributes(point, { left: limits.identityLength, dropped: 0 }),
    start: start === undefined ? 0 : milliseconds(start),
    time: milliseconds(time),
  }
}

/** The exemplars that lead to a span; those without one say nothing that the point does not. */
function readExemplars(point: Fields): Exemplar[] {
  return list(point, 'exemplars')
    .slice(0, limits.exemplars)
    .flatMap((one) => {
      const exemplar = fields(one)
      const time = nanoseconds(exemplar.timeUnixNano)
      const value = number(own(exemplar, 'asInt') ? exemplar.asInt : exemplar.asDouble)
      const traceId = id(exemplar.traceId, 16)
      if (time === undefined || value === undefined || !Number.isFinite(value) || traceId === '') return []
      return [{ time: milliseconds(time), value, traceId, spanId: id(exemplar.spanId, 8) }]
    })
}
