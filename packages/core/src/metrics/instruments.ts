import type { Counter, Histogram, Meter, Observable } from '@opentelemetry/api'
import type { InstrumentSchema } from '../schema.ts'

/** Creates a histogram of the schema. */
export function createHistogram(meter: Meter, { name, description, unit, buckets }: InstrumentSchema): Histogram {
  return meter.createHistogram(name, {
    description,
    unit,
    ...(buckets && { advice: { explicitBucketBoundaries: buckets } }),
  })
}

/** Creates a counter of the schema. */
export function createCounter(meter: Meter, { name, description, unit }: InstrumentSchema): Counter {
  return meter.createCounter(name, { description, unit })
}

/** Creates an observable instrument of the schema, of the type that it has there. */
export function createObservable(meter: Meter, { name, type, description, unit }: InstrumentSchema): Observable {
  const options = { description, unit }
  if (type === 'observable counter') return meter.createObservableCounter(name, options)
  if (type === 'observable gauge') return meter.createObservableGauge(name, options)
  return meter.createObservableUpDownCounter(name, options)
}
