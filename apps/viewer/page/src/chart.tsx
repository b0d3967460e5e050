import { useEffect, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import { bytes, clock, count, duration } from '../../src/format.ts'
import type { Panel, Unit } from '../../src/wire.ts'
import { useWidth } from './use-width.ts'

const height = 150
/** Steps of an axis of bytes: powers of two, so that its labels are round. */
const byteSteps = Array.from({ length: 41 }, (_, power) => 2 ** power)
const formats: Readonly<Record<Unit, (value: number) => string>> = {
  count,
  plain: count,
  perSecond: (value) => `${count(value)}/s`,
  seconds: (value) => duration(value * 1000),
  bytes,
  bytesPerSecond: (value) => `${bytes(value)}/s`,
}

/** One colour per line, from the style sheet, so that both themes have their own. */
function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim()
}

export function Chart({ panel, times }: { readonly panel: Panel; readonly times: readonly number[] }) {
  const [box, width] = useWidth()
  const plot = useRef<uPlot | undefined>(undefined)
  const [hovered, setHovered] = useState<number | null>(null)
  const labels = panel.series.map((series) => series.label).join('\n')
  const data = plotData(panel, times)
  const latest = useRef(data)
  latest.current = data

  useEffect(() => {
    if (width === 0 || panel.series.length === 0) return
    const made = new uPlot(plotOptions(panel, width, setHovered), latest.current, box.current!)
    plot.current = made
    return () => {
      plot.current = undefined
      made.destroy()
    }
  }, [labels, panel.shape, panel.unit, width === 0])
  useEffect(() => plot.current?.setData(data), [data])
  useEffect(() => plot.current?.setSize({ width, height }), [width])

  const format = formats[panel.unit]
  return (
    <figure class={`chart ${panel.series.length === 0 ? 'empty' : ''}`} data-panel={panel.id}>
      <figcaption>
        <strong>{panel.title}</strong> <span class="muted">{panel.hint}</span>
        <span class="grow" />
        {hovered !== null && <span class="muted mono">{clock((times[hovered] ?? 0) * 1000).slice(0, 8)}</span>}
      </figcaption>
      <div class="chart-legend">
        {panel.series.map(({ label, values }, index) => {
          const value = hovered !== null ? values[hovered] : panel.shape === 'bars' ? sum(values) : lastKnown(values)
          return (
            <span key={label}>
              <i class={`dot line${index % 8}`} />
              {label} <b>{value === null || value === undefined ? '–' : format(value)}</b>
            </span>
          )
        })}
        {panel.series.length === 0 && <span class="muted">nothing received</span>}
      </div>
      <div class="plot" ref={box} />
    </figure>
  )
}

function sum(values: readonly (number | null)[]): number {
  return values.reduce<number>((all, value) => all + (value ?? 0), 0)
}

function lastKnown(values: readonly (number | null)[]): number | null {
  for (let index = values.length - 1; index >= 0; index--) if (values[index] !== null) return values[index]!
  return null
}

function plotData({ series, shape }: Panel, times: readonly number[]): uPlot.AlignedData {
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

function plotOptions(
  { series, shape, unit }: Panel,
  width: number,
  onHover: (index: number | null) => void,
): uPlot.Options {
  const format = formats[unit]
  const text = colour('--muted')
  const grid = { stroke: colour('--grid'), width: 1 }
  const order = series.map((_, index) => index)
  if (shape === 'bars') order.reverse()
  return {
    width,
    height,
    padding: [8, 8, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: 'board' }, drag: { x: false, y: false }, points: { show: false }, y: false },
    scales: { y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] } },
    axes: [
      { stroke: text, grid, ticks: grid, size: 28, font: '11px system-ui' },
      {
        stroke: text,
        grid,
        ticks: { show: false },
        size: 62,
        font: '11px system-ui',
        values: (_, ticks) => ticks.map(format),
        ...(unit.startsWith('bytes') && { incrs: byteSteps }),
      },
    ],
    series: [
      {},
      ...order.map((index): uPlot.Series => {
        const stroke = colour(`--line${index % 8}`)
        const line: uPlot.Series = { stroke, width: 1.5, points: { show: false }, spanGaps: true }
        if (shape === 'bars') return { ...line, fill: stroke, width: 0, paths: uPlot.paths.bars!({ size: [0.8, 20] }) }
        return order.length === 1 ? { ...line, fill: `${stroke}22` } : line
      }),
    ],
    hooks: { setCursor: [(plot) => onHover(plot.cursor.idx ?? null)] },
  }
}
