import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { hrTimeToMilliseconds } from '@opentelemetry/core'
import { DataPointType, type Histogram, type MetricData } from '@opentelemetry/sdk-metrics'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import type { Colors } from './colors.ts'
import { formatBytes, formatDuration } from './duration.ts'
import { mergeHistograms, quantile } from './histogram.ts'
import { isNumeric, type MetricSnapshot } from './metric-store.ts'
import { cut, printable } from './text.ts'

interface SpanRow {
  readonly kind: SpanKind
  readonly name: string
  readonly durations: number[]
  errors: number
}

/** Attributes that a metric is broken down by: the first one present is used, so the general ones are last. */
const BREAKDOWNS = [
  'websocket.close.code',
  'websocket.handshake.outcome',
  'websocket.message.direction',
  'websocket.send.undelivered.reason',
  'websocket.message.name',
  'websocket.route',
]

/** Counts spans by kind and name as they end, for the table at the end of a demo. */
export class SpanTally {
  readonly #rows = new Map<string, SpanRow>()

  add(span: ReadableSpan): void {
    const key = `${span.kind} ${span.name}`
    let row = this.#rows.get(key)
    if (row === undefined) {
      row = { kind: span.kind, name: span.name, durations: [], errors: 0 }
      this.#rows.set(key, row)
    }
    row.durations.push(hrTimeToMilliseconds(span.duration))
    if (span.status.code === SpanStatusCode.ERROR) row.errors++
  }

  /** Number of spans that ended with an error. */
  get errors(): number {
    return [...this.#rows.values()].reduce((sum, row) => sum + row.errors, 0)
  }

  /** Writes one line for each kind and name: count, errors, median, 95th percentile and longest duration. */
  format(colors: Colors): string[] {
    const numbers = (cells: readonly string[]) => cells.map((cell) => cell.padStart(9)).join('')
    const rows = [...this.#rows.values()].sort((a, b) => a.kind - b.kind || (a.name < b.name ? -1 : 1))
    return [
      colors.bold('Spans'.padEnd(48)) + colors.dim(numbers(['count', 'errors', 'p50', 'p95', 'max'])),
      ...rows.map((row) => {
        const sorted = row.durations.sort((a, b) => a - b)
        const at = (share: number) => formatDuration(sorted[Math.ceil(share * sorted.length) - 1] as number)
        const label = `  ${SpanKind[row.kind].padEnd(8)}  ${cut(printable(row.name), 34)}`.padEnd(48)
        const errors = String(row.errors).padStart(9)
        return (
          label +
          numbers([String(sorted.length)]) +
          (row.errors > 0 ? colors.red(errors) : errors) +
          numbers([at(0.5), at(0.95), at(1)])
        )
      }),
    ]
  }
}

/** Writes one line for each metric: name, total and, if it has such attributes, a breakdown by one of them. */
export function formatMetrics(snapshot: MetricSnapshot | undefined, colors: Colors, width: number): string[] {
  const metrics = [...(snapshot?.metrics.values() ?? [])].filter((metric) => metric.dataPoints.length > 0)
  metrics.sort((a, b) => (a.descriptor.name < b.descriptor.name ? -1 : 1))
  return [
    colors.bold('Metrics'.padEnd(46)) + colors.dim('total'.padStart(11)),
    ...metrics.map((metric) => {
      const [total, rest] = totalOf(metric)
      const breakdown = breakdownOf(metric)
      const notes = [rest, breakdown].filter((note) => note !== '').join('  |  ')
      return cut(`  ${printable(metric.descriptor.name).padEnd(44)}${total.padStart(11)}  ${notes}`.trimEnd(), width)
    }),
  ]
}

function totalOf(metric: MetricData): [total: string, rest: string] {
  if (isNumeric(metric)) {
    const value = metric.dataPoints.reduce((sum, point) => sum + point.value, 0)
    return [metric.descriptor.unit === 'By' ? formatBytes(value) : String(value), '']
  }
  if (metric.dataPointType !== DataPointType.HISTOGRAM) return [String(metric.dataPoints.length), '']
  const merged = mergeHistograms(metric.dataPoints.map((point) => point.value)) as Histogram
  const at = (share: number) => formatValue(quantile(merged, share) ?? 0, metric.descriptor.unit)
  return [String(merged.count), `p50 ${at(0.5)}, p95 ${at(0.95)}, max ${at(1)}`]
}

function formatValue(value: number, unit: string): string {
  if (unit === 's') return formatDuration(value * 1_000)
  if (unit === 'By') return formatBytes(value)
  return String(Math.round(value * 10) / 10)
}

function breakdownOf(metric: MetricData): string {
  const key = BREAKDOWNS.find((one) => metric.dataPoints.some((point) => point.attributes[one] !== undefined))
  if (key === undefined) return ''
  const totals = new Map<string, number>()
  for (const { attributes, value } of metric.dataPoints) {
    const label = labelOf(attributes, key)
    totals.set(label, (totals.get(label) ?? 0) + (typeof value === 'number' ? value : value.count))
  }
  // For a single route the breakdown equals the total.
  if (key === 'websocket.route' && totals.size === 1) return ''
  return [...totals]
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .map(([label, value]) => `${label} ${metric.descriptor.unit === 'By' ? formatBytes(value) : value}`)
    .join(', ')
}

function labelOf(attributes: MetricData['dataPoints'][number]['attributes'], key: string): string {
  const label = printable(String(attributes[key] ?? 'none'))
  if (key !== 'websocket.close.code') return label
  return `${label} ${attributes['websocket.close.category'] ?? ''}`.trim()
}
