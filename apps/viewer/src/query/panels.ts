import * as names from '../names.ts'
import type { Series } from '../store/metrics.ts'
import { groupBy, increases, levels, quantiles, type Range, rates, type Values } from '../store/range.ts'
import type { Panel, Unit } from '../wire.ts'

/** How the series of an instrument become lines: one per value of the attribute `by`, or one per percentile. */
type Drawing =
  | { readonly draw: 'levels' | 'rates' | 'increases'; readonly by: string }
  | { readonly draw: 'percentiles' }

export type PanelSpec = Drawing & {
  readonly id: string
  readonly title: string
  readonly hint: string
  readonly unit: Unit
  readonly instrument: string
  /** Shown also while nothing was received, so that a person learns what there is to see. */
  readonly always?: true
}

const server = 'websocket.server'
const client = 'websocket.client'

export const panelSpecs: readonly PanelSpec[] = [
  {
    id: 'active',
    title: 'Active connections',
    hint: 'by route',
    unit: 'count',
    instrument: `${server}.connection.active`,
    draw: 'levels',
    by: names.ROUTE,
    always: true,
  },
  {
    id: 'messages',
    title: 'Messages per second',
    hint: 'by direction',
    unit: 'perSecond',
    instrument: `${server}.messages`,
    draw: 'rates',
    by: names.MESSAGE_DIRECTION,
    always: true,
  },
  {
    id: 'latency',
    title: 'Handler latency',
    hint: 'until every handler has settled',
    unit: 'seconds',
    instrument: `${server}.message.process.duration`,
    draw: 'percentiles',
    always: true,
  },
  {
    id: 'closes',
    title: 'Closes',
    hint: 'by category',
    unit: 'count',
    instrument: `${server}.connection.duration`,
    draw: 'increases',
    by: names.CLOSE_CATEGORY,
    always: true,
  },
  {
    id: 'broadcast',
    title: 'Broadcast size',
    hint: 'recipients',
    unit: 'count',
    instrument: `${server}.broadcast.recipients`,
    draw: 'percentiles',
    always: true,
  },
  {
    id: 'rtt',
    title: 'Ping round trip',
    hint: 'both event loops included',
    unit: 'seconds',
    instrument: `${server}.ping.rtt`,
    draw: 'percentiles',
    always: true,
  },
  {
    id: 'handshakes',
    title: 'Handshakes',
    hint: 'by outcome',
    unit: 'count',
    instrument: `${server}.handshake.duration`,
    draw: 'increases',
    by: names.HANDSHAKE_OUTCOME,
  },
  {
    id: 'io',
    title: 'Payload',
    hint: 'by direction',
    unit: 'bytesPerSecond',
    instrument: `${server}.io`,
    draw: 'rates',
    by: names.MESSAGE_DIRECTION,
  },
  {
    id: 'working',
    title: 'Handlers at work',
    hint: 'by route',
    unit: 'count',
    instrument: `${server}.message.process.active`,
    draw: 'levels',
    by: names.ROUTE,
  },
  {
    id: 'buffered',
    title: 'Waiting to be sent',
    hint: 'by route, sum over connections',
    unit: 'bytes',
    instrument: `${server}.send.buffered`,
    draw: 'levels',
    by: names.ROUTE,
  },
  {
    id: 'slow',
    title: 'Slow consumers',
    hint: 'connections, by route',
    unit: 'count',
    instrument: `${server}.connection.slow`,
    draw: 'levels',
    by: names.ROUTE,
  },
  {
    id: 'undelivered',
    title: 'Undelivered messages',
    hint: 'per second, by reason',
    unit: 'perSecond',
    instrument: `${server}.send.undelivered`,
    draw: 'rates',
    by: names.UNDELIVERED_REASON,
  },
  {
    id: 'missed',
    title: 'Missed pings',
    hint: 'per second, by route',
    unit: 'perSecond',
    instrument: `${server}.ping.missed`,
    draw: 'rates',
    by: names.ROUTE,
  },
  {
    id: 'first-item',
    title: 'First item of a stream',
    hint: 'from the dispatch of the message',
    unit: 'seconds',
    instrument: `${server}.stream.first_item.duration`,
    draw: 'percentiles',
  },
  {
    id: 'streams',
    title: 'Streams',
    hint: 'by outcome',
    unit: 'count',
    instrument: `${server}.stream.duration`,
    draw: 'increases',
    by: names.STREAM_OUTCOME,
  },
  {
    id: 'lag',
    title: 'Lag between nodes',
    hint: 'from the publication of a broadcast to its arrival',
    unit: 'seconds',
    instrument: `${server}.deliver.lag`,
    draw: 'percentiles',
  },
  {
    id: 'client-connects',
    title: 'Connects of clients',
    hint: 'by outcome, as clients tell it',
    unit: 'count',
    instrument: `${client}.connect.duration`,
    draw: 'increases',
    by: names.HANDSHAKE_OUTCOME,
  },
  {
    id: 'client-connect-time',
    title: 'Time to connect',
    hint: 'of clients, until their connection is open',
    unit: 'seconds',
    instrument: `${client}.connect.duration`,
    draw: 'percentiles',
  },
  {
    id: 'client-reconnects',
    title: 'Reconnects of clients',
    hint: 'by route',
    unit: 'count',
    instrument: `${client}.reconnects`,
    draw: 'increases',
    by: names.ROUTE,
  },
  {
    id: 'client-messages',
    title: 'Messages per second of clients',
    hint: 'by direction, as clients tell it',
    unit: 'perSecond',
    instrument: `${client}.messages`,
    draw: 'rates',
    by: names.MESSAGE_DIRECTION,
  },
  {
    id: 'client-latency',
    title: 'Handler latency of clients',
    hint: 'until every handler has settled',
    unit: 'seconds',
    instrument: `${client}.message.process.duration`,
    draw: 'percentiles',
  },
]

/** Lines or colours that a chart can hold and a person can tell apart. */
const mostLines = 8

/** Draws the panel from the series of its instrument; undefined when it is empty and need not be shown. */
export function drawPanel(spec: PanelSpec, series: readonly Series[], range: Range): Panel | undefined {
  if (series.length === 0 && !spec.always) return undefined
  const { id, title, hint, unit } = spec
  const lines = spec.draw === 'percentiles' ? percentiles(series, range, unit) : grouped(spec, series, range)
  return { id, title, hint, unit, shape: spec.draw === 'increases' ? 'bars' : 'lines', series: lines }
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
  }
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
