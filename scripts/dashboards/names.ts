import * as schema from '../../packages/core/src/schema.ts'

/** An instrument of the schema. */
type Instrument = (typeof schema)[Extract<keyof typeof schema, `METRIC_${string}`>]

/** The name of an instrument, as docs/telemetry.md lists it. */
export type InstrumentName = Instrument['name']

/**
 * The two ways in which the names of instruments become names of Prometheus.
 *
 * - `suffixes`: the OTLP receiver of Prometheus, the Collector's exporters, Grafana Cloud: with the unit at the end
 * - `plain`: the Prometheus exporter of OpenTelemetry's SDK for JavaScript: without
 */
export type Naming = 'suffixes' | 'plain'

const UNITS: Readonly<Record<string, string>> = { s: 'seconds', By: 'bytes' }

const instruments = new Map<string, Instrument>(
  Object.entries(schema)
    .filter((entry): entry is [string, Instrument] => entry[0].startsWith('METRIC_'))
    .map(([, instrument]) => [instrument.name, instrument]),
)

/** All instruments, in the order of the schema. */
export const instrumentNames: readonly InstrumentName[] = [...instruments.values()].map(({ name }) => name)

/** A function that gives the name of an instrument's series, for example with `bucket` that of a histogram's buckets. */
export type SeriesName = (name: InstrumentName, part?: 'bucket' | 'count' | 'sum') => string

/**
 * The names of series. Source of the rules: OpenTelemetry's specification of compatibility with Prometheus. Units in
 * braces are notes and no part of a name; counters end with `_total`.
 */
export function seriesNames(naming: Naming): SeriesName {
  return (name, part) => {
    const { type, unit } = instruments.get(name) as Instrument
    const words = [name.replaceAll('.', '_')]
    const suffix = UNITS[unit]
    if (naming === 'suffixes' && suffix !== undefined) words.push(suffix)
    if (type === 'counter' || type === 'observable counter') words.push('total')
    if (type === 'histogram') words.push(part ?? 'count')
    return words.join('_')
  }
}

/** The label of an attribute. */
export function label(attribute: string): string {
  return attribute.replaceAll('.', '_')
}
