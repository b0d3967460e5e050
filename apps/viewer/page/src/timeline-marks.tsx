import { duration, exact } from '../../src/format.ts'
import type { Gap } from '../../src/wire.ts'
import { reasonsOf } from './account-line.tsx'
import { type Cell, type GapCell, type OperationCell, operationRows, type TimeWindow } from './timeline-cells.ts'

export const laneHeight = 32

interface DrawnProps {
  readonly cell: Cell
  readonly selected: boolean
  readonly onOpen: () => void
}

/** One mark, or several that are too close to be drawn apart. */
export function DrawnMarks({ cell: { x, width, marks }, selected, onOpen }: DrawnProps) {
  const first = marks[0]!
  const failed = marks.some((mark) => mark.error !== '')
  const height = Math.min(laneHeight - 6, 14 + 5 * Math.log2(marks.length))
  const classes = `mark ${first.operation} ${failed ? 'error' : ''} ${selected ? 'selected' : ''}`
  const label =
    marks.length === 1
      ? `${first.name}, ${duration(first.duration)}${first.error === '' ? '' : `, ${first.error}`}`
      : `${marks.length} messages, ${marks.filter((mark) => mark.error !== '').length} failed: zoom in`
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the same marks are links in the table below, and keys move along them
    <g class={classes} data-mark={first.number} onClick={onOpen}>
      <title>{label}</title>
      {marks.length === 1 && width > 5 && (
        <rect class="extent" x={x} y={laneHeight / 2 - 4} width={width} height={8} rx={3} />
      )}
      <rect class="head" x={x - 2.5} y={(laneHeight - height) / 2} width={5} height={height} rx={2} />
    </g>
  )
}

/** The times below the lanes, counted from the origin. */
export function Axis({
  view,
  origin,
  x,
  y,
}: {
  readonly view: TimeWindow
  readonly origin: number
  readonly x: (time: number) => number
  readonly y: number
}) {
  const ticks = Array.from({ length: 7 }, (_, index) => view.from + ((view.to - view.from) * index) / 6)
  return (
    <g class="axis">
      {ticks.map((time, index) => (
        <g key={index} transform={`translate(${x(time)} ${y})`}>
          <line y2={5} />
          <text y={16} text-anchor={index === 0 ? 'start' : index === 6 ? 'end' : 'middle'}>
            +{duration(time - origin)}
          </text>
        </g>
      ))}
    </g>
  )
}

/** Messages that have no mark: members of broadcasts in their colour, others as a stretch of which nothing is known. */
export function DrawnGap({ cell: { x, width, gaps } }: { readonly cell: GapCell }) {
  const all = sumOf(gaps)
  const messages = `${exact(all.count)} ${gaps[0]!.direction}, #${exact(gaps[0]!.first)} – #${exact(gaps.at(-1)!.last)}`
  const kind = all.broadcast > 0 ? 'broadcast' : all.unexplained > 0 ? 'unexplained' : 'unrecorded'
  return (
    <g class={`gap ${kind}`} data-gap={gaps[0]!.first}>
      <title>{`${messages} not listed: ${reasonsOf(all).join('; ')}`}</title>
      <rect x={x} y={laneHeight / 2 - 3} width={width} height={6} rx={2} />
      {all.broadcast > 0 && <path class="diamond" d={`M${x + width / 2} ${laneHeight / 2 - 8} l7 8 l-7 8 l-7 -8 z`} />}
    </g>
  )
}

function sumOf(gaps: readonly Gap[]) {
  const sum = { count: 0, broadcast: 0, unrecorded: 0, evicted: 0, unexplained: 0 }
  for (const gap of gaps) {
    for (const key of ['count', 'broadcast', 'unrecorded', 'evicted', 'unexplained'] as const) sum[key] += gap[key]
  }
  return sum
}

/** A query, call or subscription, from what asked for it to what ended it. */
export function DrawnOperation({ cell, onOpen }: { readonly cell: OperationCell; readonly onOpen: () => void }) {
  const { x, width, row, operation } = cell
  const { name, type, outcome, ended, items, error, start, end } = operation
  const height = (laneHeight - 4) / operationRows
  const label = [
    `${type} ${name}`.trim(),
    ended ? duration(end - start) : 'goes on',
    items === null ? '' : `${exact(items)} items`,
    outcome,
  ]
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: its mark is a link in the table below, and keys move along them
    <g class={`operation ${error ? 'error' : ''} ${ended ? '' : 'running'}`} data-operation={name} onClick={onOpen}>
      <title>{label.filter(Boolean).join(', ')}</title>
      <rect x={x} y={2 + row * height} width={width} height={height - 1} rx={2} />
      {width > 60 && (
        <text x={x + 4} y={2 + row * height + height - 2.5}>
          {name.slice(0, Math.floor((width - 8) / 6))}
        </text>
      )}
    </g>
  )
}
