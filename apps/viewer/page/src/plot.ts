import uPlot from 'uplot'
import { bytes, clock, count, duration } from '../../src/format.ts'
import type { Panel, Unit } from '../../src/wire.ts'

export const plotHeight = 150
/** Steps of an axis of bytes: powers of two, so that its labels are round. */
const byteSteps = Array.from({ length: 41 }, (_, power) => 2 ** power)
/** Steps of an axis of what is counted: there is no half of a connection. */
const wholeSteps = Array.from({ length: 12 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power)).flat()

export const formats: Readonly<Record<Unit, (value: number) => string>> = {
  count,
  plain: count,
  perSecond: (value) => `${count(value)}/s`,
  seconds: (value) => duration(value * 1000),
  bytes,
  bytesPerSecond: (value) => `${bytes(value)}/s`,
}

/** The line that is red in both themes. */
const red = 2
/** Lines by what they are about: red is what went wrong, and nothing else is where one of these is. */
const meanings: Readonly<Record<string, number>> = {
  normal: 0,
  accepted: 0,
  no_status: 7,
  going_away: 3,
  abnormal: red,
  rejected: red,
  failed: red,
  timeout: 1,
  abandoned: 1,
  server_error: 5,
}

/** Number of each series' colour: that of its meaning, else the next that is free. */
export function lineNumbers(series: Panel['series']): number[] {
  const known = series.map(({ label }) => meanings[label])
  const taken = new Set(known)
  const free = [0, 1, 2, 3, 4, 5, 6, 7].filter((line) => !taken.has(line) && (line !== red || !taken.has(0)))
  let next = 0
  return known.map((line) => line ?? free[next++ % free.length] ?? 0)
}

/** One colour per line, from the style sheet, so that both themes have their own. */
function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim()
}

export function plotData({ series, shape }: Panel, times: readonly number[]): uPlot.AlignedData {
  const values = series.map((one) => [...one.values])
  if (shape === 'bars') {
    // Stacked: each line is drawn on top of those after it, and stands for itself and all before.
    for (let line = 1; line < values.length; line++) {
      values[line] = values[line]!.map((value, step) => (value ?? 0) + (values[line - 1]![step] ?? 0))
    }
    values.reverse()
  }
  return [[...times], ...values]
}

export interface PlotEvents {
  /** Step under the pointer; null for none. */
  readonly onHover: (index: number | null) => void
  /** A stretch of time was dragged over, epoch milliseconds. */
  readonly onRange: (from: number, to: number) => void
  /** The exemplars to draw, as they are when it draws. */
  readonly exemplars: () => Panel['exemplars']
}

export function plotOptions({ series, shape, unit }: Panel, width: number, events: PlotEvents): uPlot.Options {
  const format = formats[unit]
  const text = colour('--muted')
  const grid = { stroke: colour('--grid'), width: 1 }
  const font = `${11 * fontScale()}px system-ui`
  const order = series.map((_, index) => index)
  const lines = lineNumbers(series)
  if (shape === 'bars') order.reverse()
  return {
    width,
    height: plotHeight,
    padding: [8, 8, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: 'board' }, drag: { x: true, y: false, setScale: false }, points: { show: false }, y: false },
    select: { show: true, left: 0, top: 0, width: 0, height: 0 },
    scales: { y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] } },
    axes: [
      { stroke: text, grid, ticks: grid, size: 28, font, values: (_, times) => timeLabels(times) },
      {
        stroke: text,
        grid,
        ticks: { show: false },
        size: 62,
        font,
        values: (_, ticks) => ticks.map(format),
        ...(unit.startsWith('bytes') && { incrs: byteSteps }),
        ...(unit === 'count' && { incrs: wholeSteps }),
      },
    ],
    series: [
      {},
      ...order.map((index): uPlot.Series => {
        const stroke = colour(`--line${lines[index]}`)
        // A value without neighbours is no line: it is drawn as a point.
        const points = { show: (plot: uPlot, line: number) => isSparse(plot.data[line] ?? []), size: 5, fill: stroke }
        const line: uPlot.Series = { stroke, width: 1.5, points, spanGaps: true }
        if (shape === 'bars') {
          return {
            ...line,
            points: { show: false },
            fill: stroke,
            width: 0,
            paths: uPlot.paths.bars!({ size: [0.8, 20] }),
          }
        }
        return order.length === 1 ? { ...line, fill: `${stroke}22` } : line
      }),
    ],
    hooks: {
      setCursor: [(plot) => events.onHover(plot.cursor.idx ?? null)],
      setSelect: [(plot) => select(plot, events.onRange)],
      draw: [(plot) => drawExemplars(plot, events.exemplars())],
    },
  }
}

/** Local times of 24 hours, to the second where the labels would else be the same. */
function timeLabels(times: readonly number[]): string[] {
  const seconds = times.length > 1 && times[1]! - times[0]! < 60
  return times.map((time) => clock(time * 1000).slice(0, seconds ? 8 : 5))
}

function fontScale(): number {
  return Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / 16
}

function isSparse(values: ArrayLike<number | null | undefined>): boolean {
  let known = 0
  for (let index = 0; index < values.length; index++) if (values[index] != null && ++known > 3) return false
  return true
}

function select(plot: uPlot, onRange: PlotEvents['onRange']): void {
  const { left, width } = plot.select
  if (width < 5) return
  onRange(plot.posToVal(left, 'x') * 1000, plot.posToVal(left + width, 'x') * 1000)
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
}

function drawExemplars(plot: uPlot, exemplars: Panel['exemplars']): void {
  if (exemplars.length === 0) return
  const { ctx } = plot
  ctx.save()
  ctx.fillStyle = colour('--text')
  for (const { time, value } of exemplars) {
    const x = plot.valToPos(time, 'x', true)
    const y = Math.max(plot.bbox.top, plot.valToPos(value, 'y', true))
    ctx.beginPath()
    ctx.arc(x, y, 3 * devicePixelRatio, 0, 2 * Math.PI)
    ctx.fill()
  }
  ctx.restore()
}
