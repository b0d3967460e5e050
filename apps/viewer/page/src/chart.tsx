import { useEffect, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import { clock } from '../../src/format.ts'
import type { Panel } from '../../src/wire.ts'
import { formats, lineNumbers, plotData, plotHeight, plotOptions } from './plot.ts'
import { href } from './route.ts'
import { showTime } from './time-picker.tsx'
import { useWidth } from './use-width.ts'

interface Props {
  readonly panel: Panel
  readonly times: readonly number[]
  /** Address of the traces that it is about, in the time that it shows; empty where there are none. */
  readonly traces: string
}

/** Exemplars that are listed as links: the largest values. */
const mostLinks = 4

export function Chart({ panel, times, traces }: Props) {
  const [box, width] = useWidth()
  const plot = useRef<uPlot | undefined>(undefined)
  const [hovered, setHovered] = useState<number | null>(null)
  const labels = panel.series.map((series) => series.label).join('\n')
  const data = plotData(panel, times)
  const latest = useRef({ data, panel })
  latest.current = { data, panel }

  useEffect(() => {
    if (width === 0 || panel.series.length === 0) return
    const events = { onHover: setHovered, onRange: showTime, exemplars: () => latest.current.panel.exemplars }
    const made = new uPlot(plotOptions(panel, width, events), latest.current.data, box.current!)
    plot.current = made
    return () => {
      plot.current = undefined
      made.destroy()
    }
  }, [labels, panel.shape, panel.unit, width === 0])
  useEffect(() => plot.current?.setData(data), [data])
  useEffect(() => plot.current?.setSize({ width, height: plotHeight }), [width])

  const format = formats[panel.unit]
  const lines = lineNumbers(panel.series)
  return (
    <figure class={`chart ${panel.series.length === 0 ? 'empty' : ''}`} data-panel={panel.id}>
      <figcaption>
        <strong>{panel.title}</strong>{' '}
        <span class="muted hint" title={panel.hint}>
          {panel.hint}
        </span>
        <span class="grow" />
        {hovered !== null && <span class="muted mono">{clock((times[hovered] ?? 0) * 1000).slice(0, 8)}</span>}
        {traces !== '' && (
          <a href={traces} aria-label={`Traces of ${panel.title}`}>
            traces →
          </a>
        )}
      </figcaption>
      <div class="chart-legend">
        {panel.series.map(({ label, values }, index) => {
          const value = hovered !== null ? values[hovered] : panel.shape === 'bars' ? sum(values) : lastKnown(values)
          return (
            <span key={label}>
              <i class={`dot line${lines[index]}`} />
              {label} <b>{value === null || value === undefined ? '–' : format(value)}</b>
            </span>
          )
        })}
        {panel.series.length === 0 && <span class="muted">nothing received</span>}
        {panel.exemplars.slice(0, mostLinks).map((one) => (
          <a key={one.traceId + one.spanId} href={href('traces', { open: one.traceId, span: one.spanId })}>
            exemplar {format(one.value)} →
          </a>
        ))}
      </div>
      <div class="plot" ref={box} title="Drag to choose a time range" />
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
