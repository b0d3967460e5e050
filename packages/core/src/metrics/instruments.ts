import {
  type Attributes,
  type BatchObservableCallback,
  type Context,
  type Counter,
  createNoopMeter,
  type Histogram,
  type Meter,
  type MeterProvider,
  type Observable,
} from '@opentelemetry/api'
import { reportThrown } from '../api/log.ts'
import { type InstrumentSchema, SCHEMA_URL } from '../schema.ts'

/** The meter of a scope; one that records nothing if the provider throws. */
export function meterOf(provider: MeterProvider, { name, version }: { name: string; version: string }): Meter {
  try {
    return provider.getMeter(name, version, { schemaUrl: SCHEMA_URL })
  } catch (error) {
    reportThrown('getMeter()', error)
    return createNoopMeter()
  }
}

/** Creates a histogram of the schema, which never throws. */
export function createHistogram(meter: Meter, { name, description, unit, buckets }: InstrumentSchema): Histogram {
  const options = { description, unit, ...(buckets && { advice: { explicitBucketBoundaries: buckets } }) }
  const histogram = create(meter, (by) => by.createHistogram(name, options))
  return {
    record(value: number, attributes?: Attributes, context?: Context): void {
      try {
        histogram.record(value, attributes, context)
      } catch (error) {
        reportThrown('histogram.record()', error)
      }
    },
  }
}

/** Creates a counter of the schema, which never throws. */
export function createCounter(meter: Meter, { name, description, unit }: InstrumentSchema): Counter {
  const counter = create(meter, (by) => by.createCounter(name, { description, unit }))
  return {
    add(value: number, attributes?: Attributes, context?: Context): void {
      try {
        counter.add(value, attributes, context)
      } catch (error) {
        reportThrown('counter.add()', error)
      }
    },
  }
}

/** Creates an observable instrument of the schema, of the type that it has there. */
export function createObservable(meter: Meter, { name, type, description, unit }: InstrumentSchema): Observable {
  const options = { description, unit }
  return create(meter, (by) => {
    if (type === 'observable counter') return by.createObservableCounter(name, options)
    if (type === 'observable gauge') return by.createObservableGauge(name, options)
    return by.createObservableUpDownCounter(name, options)
  })
}

/** Calls back when metrics are collected. Returns a function that ends this. */
export function observeBatch(meter: Meter, callback: BatchObservableCallback, observables: Observable[]): () => void {
  try {
    meter.addBatchObservableCallback(callback, observables)
  } catch (error) {
    reportThrown('meter.addBatchObservableCallback()', error)
  }
  return () => {
    try {
      meter.removeBatchObservableCallback(callback, observables)
    } catch (error) {
      reportThrown('meter.removeBatchObservableCallback()', error)
    }
  }
}

/** An instrument of this meter; one that records nothing if the meter throws. */
function create<T>(meter: Meter, by: (meter: Meter) => T): T {
  try {
    return by(meter)
  } catch (error) {
    reportThrown('the meter', error)
    return by(createNoopMeter())
  }
}
