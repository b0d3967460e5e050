/** Attribute values are scalars; arrays, maps and bytes are kept as JSON text, integers past 2^53 as decimal text. */
export type AttributeValue = string | number | boolean
/** Pairs, not an object: keys come from strangers, and `__proto__` is a key like any other. */
export type Attribute = readonly [key: string, value: AttributeValue]

export interface Resource {
  readonly service: string
  readonly instance: string
  readonly attributes: readonly Attribute[]
}

export interface SpanEvent {
  readonly name: string
  /** Epoch milliseconds. */
  readonly time: number
  readonly attributes: readonly Attribute[]
}

export interface SpanLink {
  readonly traceId: string
  readonly spanId: string
  readonly attributes: readonly Attribute[]
}

export const spanKinds = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'] as const
export type SpanKind = (typeof spanKinds)[number]

export interface Span {
  readonly traceId: string
  readonly spanId: string
  /** Empty for a root. */
  readonly parentSpanId: string
  readonly name: string
  readonly kind: SpanKind
  /** Epoch milliseconds, with microseconds as fraction. */
  readonly start: number
  /** Milliseconds; 0 when the span says that it ended before it started. */
  readonly duration: number
  readonly error: boolean
  readonly statusMessage: string
  readonly attributes: readonly Attribute[]
  readonly events: readonly SpanEvent[]
  readonly links: readonly SpanLink[]
  /** Attributes, events and links left out, by the sender or by our limits. */
  readonly dropped: number
  readonly resource: Resource
  readonly scope: string
}

export const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const
export type Level = (typeof levels)[number]

export interface LogRecord {
  /** Number in order of arrival, from 1. */
  readonly number: number
  /** Epoch milliseconds, with microseconds as fraction: of the event, else of its observation. */
  readonly time: number
  /** 1 to 24, 0 where it is not given. */
  readonly severity: number
  readonly severityText: string
  /** Severity in six steps; `info` where it is not given. */
  readonly level: Level
  /** Text, or JSON of what is none. */
  readonly body: string
  readonly eventName: string
  readonly attributes: readonly Attribute[]
  /** Empty where the record belongs to no span. */
  readonly traceId: string
  readonly spanId: string
  readonly resource: Resource
  readonly scope: string
  /** Attributes left out, by the sender or by our limits. */
  readonly dropped: number
}

export type MetricKind = 'gauge' | 'counter' | 'histogram'

/** One data point, as received. Counters and histograms are cumulative unless `delta`. */
export interface MetricPoint {
  readonly name: string
  readonly unit: string
  readonly description: string
  readonly kind: MetricKind
  readonly delta: boolean
  readonly attributes: readonly Attribute[]
  readonly resource: Resource
  /** Epoch milliseconds; `start` is 0 when unknown. */
  readonly start: number
  readonly time: number
  /** Value of a gauge or counter, sum of a histogram. */
  readonly value: number
  readonly histogram?: Histogram
  /** Absent where there are none. */
  readonly exemplars?: readonly Exemplar[]
}

/** One value that was recorded, with the span in which it was. */
export interface Exemplar {
  readonly time: number
  readonly value: number
  readonly traceId: string
  readonly spanId: string
}

/** Bucket `i` counts values in (`bounds[i - 1]`, `bounds[i]`]; there is one more count than bounds. */
export interface Histogram {
  readonly bounds: readonly number[]
  readonly counts: readonly number[]
  /** Largest value recorded since the start (of the interval, for deltas); infinite where it is not given. */
  readonly max: number
}

/** Value of the first attribute called `key`. */
export function attribute(attributes: readonly Attribute[], key: string): AttributeValue | undefined {
  for (const [name, value] of attributes) if (name === key) return value
  return undefined
}

export function textAttribute(attributes: readonly Attribute[], key: string): string {
  const value = attribute(attributes, key)
  return value === undefined ? '' : String(value)
}

export function numberAttribute(attributes: readonly Attribute[], key: string): number | undefined {
  const value = attribute(attributes, key)
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}
