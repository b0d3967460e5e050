import { textAttribute } from '../model.ts'
import * as names from '../names.ts'
import type { MetricStore, Series } from '../store/metrics.ts'
import { groupBy, increases, levels, quantiles, type Range, rangeUntil, rates, total } from '../store/range.ts'
import type { HandlerRow, MetricsBoard, Panel, Unit } from '../wire.ts'

export interface BoardFilter {
  readonly service: string
  readonly route: string
  /** Name of a message, for the latency chart; empty for all. */
  readonly message: string
  /** Name of an instrument to draw as it is; empty for none. */
  readonly instrument: string
  readonly windowMs: number
}

/** Lines or colours that a chart can hold and a person can tell apart. */
const mostSeries = 8
const mostSteps = 120
const server = 'websocket.server'

/** All that the metrics view shows. */
export function metricsBoard(metrics: MetricStore, filter: BoardFilter, now: number): MetricsBoard {
  const range = rangeUntil(now, filter.windowMs, Math.min(mostSteps, Math.ceil(filter.windowMs / 1000)))
  const all = [...metrics.all()]
  const select = (name: string) => all.filter((series) => series.name === name && chosen(series, filter))
  const process = select(`${server}.message.process.duration`)
  const named =
    filter.message === ''
      ? process
      : process.filter((series) => textAttribute(series.attributes, names.MESSAGE_NAME) === filter.message)
  const panels: Panel[] = [
    grouped(
      'active',
      'Active connections',
      'by route',
      'count',
      select(`${server}.connection.active`),
      names.ROUTE,
      (s) => levels(s, range),
    ),
    grouped(
      'messages',
      'Messages per second',
      'by direction',
      'perSecond',
      select(`${server}.messages`),
      names.MESSAGE_DIRECTION,
      (s) => rates(s, range),
    ),
    percentiles('latency', 'Handler latency', filter.message || 'all messages', 'seconds', named, range),
    {
      ...grouped(
        'closes',
        'Closes',
        'by category',
        'count',
        select(`${server}.connection.duration`),
        names.CLOSE_CATEGORY,
        (s) => increases(s, range),
      ),
      shape: 'bars',
    },
    percentiles('broadcast', 'Broadcast size', 'recipients', 'count', select(`${server}.broadcast.recipients`), range),
    percentiles('rtt', 'Ping round trip', 'both event loops included', 'seconds', select(`${server}.ping.rtt`), range),
    {
      ...grouped(
        'handshakes',
        'Handshakes',
        'by outcome',
        'count',
        select(`${server}.handshake.duration`),
        names.HANDSHAKE_OUTCOME,
        (s) => increases(s, range),
      ),
      shape: 'bars',
    },
    grouped('io', 'Payload', 'by direction', 'bytesPerSecond', select(`${server}.io`), names.MESSAGE_DIRECTION, (s) =>
      rates(s, range),
    ),
    grouped(
      'buffered',
      'Waiting to be sent',
      'by route, sum over connections',
      'bytes',
      select(`${server}.send.buffered`),
      names.ROUTE,
      (s) => levels(s, range),
    ),
    grouped(
      'undelivered',
      'Undelivered messages',
      'per second, by reason',
      'perSecond',
      select(`${server}.send.undelivered`),
      names.UNDELIVERED_REASON,
      (s) => rates(s, range),
    ),
  ]
  if (filter.instrument !== '') panels.unshift(instrumentPanel(select(filter.instrument), filter.instrument, range))
  return {
    times: Array.from({ length: range.steps }, (_, step) => (range.from + (step + 1) * range.step) / 1000),
    panels,
    handlers: handlerRows(process, range),
    services: distinct(all.map((series) => series.service)),
    routes: distinct(all.map((series) => textAttribute(series.attributes, names.ROUTE))),
    instruments: instruments(all),
  }
}

function chosen(series: Series, filter: BoardFilter): boolean {
  if (filter.service !== '' && series.service !== filter.service) return false
  return filter.route === '' || textAttribute(series.attributes, names.ROUTE) === filter.route
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)].filter(Boolean).sort().slice(0, 200)
}

function grouped(
  id: string,
  title: string,
  hint: string,
  unit: Unit,
  series: readonly Series[],
  attribute: string,
  values: (series: readonly Series[]) => readonly (number | null)[],
): Panel {
  const groups = [...groupBy(series, attribute)].sort(([a], [b]) => (a < b ? -1 : 1))
  const shown = groups.slice(0, mostSeries - 1)
  const rest = groups.slice(mostSeries - 1).flatMap(([, members]) => members)
  const lines = shown.map(([label, members]) => ({ label: label || 'all', values: values(members) }))
  if (rest.length > 0) lines.push({ label: 'others', values: values(rest) })
  return { id, title, hint, unit, shape: 'lines', series: lines }
}

function percentiles(
  id: string,
  title: string,
  hint: string,
  unit: Unit,
  series: readonly Series[],
  range: Range,
): Panel {
  const [p50, p95, p99] = quantiles(series, range, [0.5, 0.95, 0.99])
  const lines = [
    { label: 'p50', values: p50! },
    { label: 'p95', values: p95! },
    { label: 'p99', values: p99! },
  ]
  return { id, title, hint, unit, shape: 'lines', series: series.length === 0 ? [] : lines }
}

function instrumentPanel(series: readonly Series[], name: string, range: Range): Panel {
  const first = series[0]
  const unit = unitOf(first)
  const hint = first?.description ?? ''
  if (first?.kind === 'histogram') return percentiles('instrument', name, hint, unit, series, range)
  const draw = (members: readonly Series[]) =>
    first?.kind === 'counter' ? rates(members, range) : levels(members, range)
  const lines = series.slice(0, mostSeries).map((one) => ({ label: labelOf(one), values: draw([one]) }))
  return { id: 'instrument', title: name, hint, unit, shape: 'lines', series: lines }
}

function labelOf(series: Series): string {
  const pairs = series.attributes.map(([key, value]) => `${key.slice(key.lastIndexOf('.') + 1)}=${value}`)
  return [series.service, ...pairs].join(' ').slice(0, 120)
}

function unitOf(series: Series | undefined): Unit {
  if (series?.unit === 's') return 'seconds'
  if (series?.unit === 'By') return series.kind === 'counter' ? 'bytesPerSecond' : 'bytes'
  return series?.kind === 'counter' ? 'perSecond' : 'plain'
}

function handlerRows(process: readonly Series[], range: Range): HandlerRow[] {
  const rows = [...groupBy(process, names.MESSAGE_NAME)].map(([name, series]) => {
    const { sum, seconds } = total(series, range)
    const failing = series.filter((one) => textAttribute(one.attributes, names.ERROR_TYPE) !== '')
    return {
      name: name || '(no name)',
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
