import { textAttribute } from '../model.ts'
import * as names from '../names.ts'
import type { MetricStore, Series } from '../store/metrics.ts'
import { groupBy, type Range, rangeBetween, rangeUntil, total } from '../store/range.ts'
import type { HandlerRow, MetricsBoard, Panel } from '../wire.ts'
import { panelSpecs } from './panel-specs.ts'
import { drawInstrument, drawPanel } from './panels.ts'
import type { TimeRange } from './time-range.ts'

export interface BoardFilter {
  readonly service: string
  /** Instance of a service; empty for all. */
  readonly node: string
  readonly route: string
  /** Name of a message, for the latency chart; empty for all. */
  readonly message: string
  /** Name of an instrument to draw as it is; empty for none. */
  readonly instrument: string
  /** Milliseconds that end now; 0 for five minutes. */
  readonly last: number
  /** A part of time that is drawn instead; one that is open at its end ends now. */
  readonly range?: TimeRange | undefined
}

const mostSteps = 120
const standardWindow = 300_000
const longestWindow = 86_400_000
const processDuration = 'websocket.server.message.process.duration'

/** All that the metrics view shows. */
export function metricsBoard(metrics: MetricStore, filter: BoardFilter, now: number): MetricsBoard {
  const range = chartRange(filter, now)
  const all = [...metrics.all()]
  const select = (name: string) => all.filter((series) => series.name === name && chosen(series, filter))
  const panels = panelSpecs.flatMap((spec): Panel[] => {
    const series = select(spec.instrument)
    const latencyOf = spec.instrument === processDuration && filter.message !== ''
    const panel = latencyOf
      ? drawPanel({ ...spec, hint: `of ${filter.message}` }, named(series, filter.message), range)
      : drawPanel(spec, series, range)
    return panel === undefined ? [] : [panel]
  })
  if (filter.instrument !== '') panels.unshift(drawInstrument(filter.instrument, select(filter.instrument), range))
  return {
    times: Array.from({ length: range.steps }, (_, step) => (range.from + (step + 1) * range.step) / 1000),
    panels,
    handlers: handlerRows(select(processDuration), range),
    services: distinct(all.map((series) => series.service)),
    nodes: distinct(all.map((series) => series.instance)),
    routes: distinct(all.map((series) => textAttribute(series.attributes, names.ROUTE))),
    instruments: instruments(all),
  }
}

function chartRange({ last, range }: BoardFilter, now: number): Range {
  const stepsOf = (window: number) => Math.min(mostSteps, Math.ceil(window / 1000))
  const window = last === 0 ? standardWindow : Math.max(10_000, Math.min(last, longestWindow))
  if (range === undefined || (range.to === Number.POSITIVE_INFINITY && last > 0)) {
    return rangeUntil(now, window, stepsOf(window))
  }
  const to = Math.min(range.to, now)
  const from = Math.max(range.from, to - longestWindow)
  const length = Math.max(1000, to - (range.from === Number.NEGATIVE_INFINITY ? to - window : from))
  return rangeBetween(to - length, to, stepsOf(length))
}

function chosen(series: Series, filter: BoardFilter): boolean {
  if (filter.service !== '' && series.service !== filter.service) return false
  if (filter.node !== '' && series.instance !== filter.node) return false
  return filter.route === '' || textAttribute(series.attributes, names.ROUTE) === filter.route
}

function named(series: readonly Series[], message: string): Series[] {
  return series.filter((one) => textAttribute(one.attributes, names.MESSAGE_NAME) === message)
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)].filter(Boolean).sort().slice(0, 200)
}

function handlerRows(process: readonly Series[], range: Range): HandlerRow[] {
  const rows = [...groupBy(process, names.MESSAGE_NAME)].map(([name, series]) => {
    const { sum, seconds } = total(series, range)
    const failing = series.filter((one) => textAttribute(one.attributes, names.ERROR_TYPE) !== '')
    return {
      name,
      rate: seconds > 0 ? sum.count / seconds : 0,
      count: sum.count,
      failed: total(failing, range).sum.count,
      p50: sum.quantile(0.5),
      p95: sum.quantile(0.95),
      p99: sum.quantile(0.99),
    }
  })
  return rows
    .filter((row) => row.count > 0)
    .sort((a, b) => (b.p95 ?? 0) - (a.p95 ?? 0))
    .slice(0, 100)
}

function instruments(all: readonly Series[]): MetricsBoard['instruments'] {
  const found = new Map<string, { name: string; kind: string; unit: string; description: string; series: number }>()
  for (const { name, kind, unit, description } of all) {
    const known = found.get(name)
    if (known === undefined) found.set(name, { name, kind, unit, description, series: 1 })
    else known.series++
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1)).slice(0, 500)
}
