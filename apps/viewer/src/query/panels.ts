import type { Series } from '../store/metrics.ts'
import { groupBy, increases, levels, quantiles, type Range, rates, type Values } from '../store/range.ts'
import type { Panel, PanelExemplar, Unit } from '../wire.ts'
import type { PanelSpec } from './panel-specs.ts'

/** Lines or colours that a chart can hold and a person can keep apart. */
const mostLines = 8

/** Draws the panel from the series of its instrument; undefined when it is empty and need not be shown. */
export function drawPanel(spec: PanelSpec, series: readonly Series[], range: Range): Panel | undefined {
  if (series.length === 0 && !spec.always) return undefined
  const { id, title, hint, unit, query = '' } = spec
  const lines = spec.draw === 'percentiles' ? percentiles(series, range, unit) : grouped(spec, series, range)
  const shape = spec.draw === 'increases' ? 'bars' : 'lines'
  return { id, title, hint, unit, shape, series: lines, query, exemplars: exemplarsOf(series, range) }
}

/** Draws an instrument that no panel is made for, as its kind and unit suggest. */
export function drawInstrument(name: string, series: readonly Series[], range: Range): Panel {
  const first = series[0]
  const draw = first?.kind === 'counter' ? rates : levels
  const severalNodes = series.some(({ instance }) => instance !== first?.instance)
  const lines =
    first?.kind === 'histogram'
      ? percentiles(series, range, unitOf(first))
      : series.slice(0, mostLines).map((one) => ({ label: labelOf(one, severalNodes), values: draw([one], range) }))
  return {
    id: 'instrument',
    title: name,
    hint: first?.description ?? '',
    unit: unitOf(first),
    shape: 'lines',
    series: lines,
    query: '',
    exemplars: exemplarsOf(series, range),
  }
}

/** Exemplars that one chart draws: the largest values. */
const mostExemplars = 50

function exemplarsOf(series: readonly Series[], { from, step, steps }: Range): PanelExemplar[] {
  return series
    .flatMap(({ exemplars }) => exemplars)
    .filter(({ time }) => time > from && time <= from + step * steps)
    .sort((a, b) => b.value - a.value)
    .slice(0, mostExemplars)
    .map((exemplar) => ({ ...exemplar, time: exemplar.time / 1000 }))
}

const drawings: Readonly<
  Record<'levels' | 'rates' | 'increases', (series: readonly Series[], range: Range) => Values>
> = {
  levels,
  rates,
  increases,
}

function grouped(
  spec: PanelSpec & { draw: 'levels' | 'rates' | 'increases' },
  series: readonly Series[],
  range: Range,
): Panel['series'] {
  const draw = drawings[spec.draw]
  const groups = [...groupBy(series, spec.by)].sort(([a], [b]) => (a < b ? -1 : 1))
  const all = groups.length <= mostLines
  const shown = all ? groups : groups.slice(0, mostLines - 1)
  const lines = shown.map(([label, members]) => ({ label: label || 'all', values: draw(members, range) }))
  if (all) return spec.draw === 'levels' ? withoutIdle(lines) : lines
  const rest = groups.slice(shown.length).flatMap(([, members]) => members)
  return [...lines, { label: 'others', values: draw(rest, range) }]
}

/** Leaves out the levels that are 0 all the time, as long as there is one that is not. */
function withoutIdle(lines: Panel['series']): Panel['series'] {
  const busy = lines.filter(({ values }) => values.some((value) => value !== null && value !== 0))
  return busy.length === 0 ? lines : busy
}

function percentiles(series: readonly Series[], range: Range, unit: Unit): Panel['series'] {
  if (series.length === 0) return []
  const drawn = quantiles(series, range, [0.5, 0.95, 0.99])
  // What is counted in wholes has no half in the middle of a bucket.
  const [p50, p95, p99] =
    unit === 'count' ? drawn.map((values) => values.map((value) => value && Math.ceil(value))) : drawn
  return [
    { label: 'p50', values: p50! },
    { label: 'p95', values: p95! },
    { label: 'p99', values: p99! },
  ]
}

function labelOf(series: Series, withInstance: boolean): string {
  const pairs = series.attributes.map(([key, value]) => `${key.slice(key.lastIndexOf('.') + 1)}=${value}`)
  return [series.service, withInstance ? series.instance : '', ...pairs].filter(Boolean).join(' ').slice(0, 120)
}

function unitOf(series: Series | undefined): Unit {
  if (series?.unit === 's') return 'seconds'
  if (series?.unit === 'By') return series.kind === 'counter' ? 'bytesPerSecond' : 'bytes'
  return series?.kind === 'counter' ? 'perSecond' : 'plain'
}
