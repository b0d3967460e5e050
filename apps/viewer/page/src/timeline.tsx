import { useRef } from 'preact/hooks'
import { duration } from '../../src/format.ts'
import type { Gap, Mark, OperationRow } from '../../src/wire.ts'
import { useKeys } from './keyboard.ts'
import { cellsOf, gapCellsOf, type Lane, lanes, operationCellsOf, type TimeWindow } from './timeline-cells.ts'
import { Axis, DrawnGap, DrawnMarks, DrawnOperation, laneHeight } from './timeline-marks.tsx'
import { useWidth } from './use-width.ts'

interface Props {
  /** By start. */
  readonly marks: readonly Mark[]
  /** Messages that have no mark. */
  readonly gaps: readonly Gap[]
  readonly operations: readonly OperationRow[]
  readonly now: number
  /** Epoch milliseconds of the whole. */
  readonly from: number
  readonly to: number
  /** The part in view; undefined for the whole. */
  readonly window: TimeWindow | undefined
  readonly onWindow: (window: TimeWindow | undefined) => void
  /** What ended the connection, written at its close; empty while it is open. */
  readonly ending: string
  readonly selected: Mark | undefined
  readonly onSelect: (mark: Mark) => void
}

const laneTitles: Readonly<Record<Lane, string>> = {
  lifecycle: 'Connection',
  operations: 'Operations',
  received: 'Received',
  sent: 'Sent',
  peer: 'Other end',
}
const axisHeight = 22
const labelWidth = 92
const margin = 14

/**
 * What happened on a connection, on a time axis. At most one mark per cell and lane is drawn, so a connection with any
 * number of messages costs the same; zooming in takes a drawn mark apart.
 */
export function Timeline(props: Props) {
  const { marks, gaps, operations, now, from, to, window, onWindow, ending, selected, onSelect } = props
  const [box, width] = useWidth()
  const drag = useRef<number | undefined>(undefined)
  const view = window ?? { from, to: Math.max(to, from + 1) }
  const inner = Math.max(100, width - labelWidth - 2 * margin)
  const x = (time: number) => labelWidth + margin + ((time - view.from) / (view.to - view.from)) * inner
  const timeAt = (offset: number) => view.from + ((offset - labelWidth - margin) / inner) * (view.to - view.from)
  const zoom = (factor: number, around = selected?.start ?? (view.from + view.to) / 2) => {
    const next = { from: around - (around - view.from) * factor, to: around + (view.to - around) * factor }
    if (next.to - next.from < 0.05) return
    const whole = next.from <= from && next.to >= to
    onWindow(whole ? undefined : { from: Math.max(from, next.from), to: Math.min(Math.max(to, from + 1), next.to) })
  }
  useKeys({ '+': () => zoom(0.5), '=': () => zoom(0.5), '-': () => zoom(2), '0': () => onWindow(undefined) })
  const used = lanes.filter((lane) => {
    if (lane === 'operations') return operations.length > 0
    return lane !== 'peer' || marks.some((mark) => mark.peer)
  })
  const height = used.length * laneHeight + axisHeight
  const scale = { x, left: labelWidth + margin, width: inner }
  const cells = cellsOf(marks, view, scale)
  const gapCells = gapCellsOf(gaps, view, scale)
  const operationCells = operationCellsOf(operations, view, now, scale)
  const selectNumber = (number: number) => {
    const mark = marks.find((one) => one.number === number)
    if (mark !== undefined) onSelect(mark)
  }

  const pointer = (event: PointerEvent) => event.clientX - box.current!.getBoundingClientRect().left
  return (
    <div class="timeline" ref={box}>
      <div class="zoom">
        <button type="button" onClick={() => zoom(0.5)} aria-label="Zoom in" title="Key +">
          +
        </button>
        <button type="button" onClick={() => zoom(2)} aria-label="Zoom out" title="Key −">
          −
        </button>
        <button type="button" onClick={() => onWindow(undefined)} disabled={window === undefined} title="Key 0">
          Fit
        </button>
      </div>
      <svg
        width={width}
        height={height}
        role="img"
        aria-label={`Timeline: ${marks.length} marks over ${duration(to - from)}`}
        onPointerDown={(event) => {
          if (!(event.target as Element).closest('[data-mark]')) drag.current = pointer(event)
        }}
        onPointerUp={(event) => {
          const begun = drag.current
          drag.current = undefined
          if (begun === undefined) return
          const [left, right] = [begun, pointer(event)].sort((a, b) => a - b) as [number, number]
          if (right - left > 8) onWindow({ from: Math.max(from, timeAt(left)), to: Math.min(to, timeAt(right)) })
        }}
        onPointerLeave={() => {
          drag.current = undefined
        }}
      >
        {used.map((lane, index) => (
          <g key={lane} transform={`translate(0 ${index * laneHeight})`}>
            <text class="lane-title" x={12} y={laneHeight / 2 + 4}>
              {laneTitles[lane]}
            </text>
            <line class="lane" x1={labelWidth} x2={width} y1={laneHeight / 2} y2={laneHeight / 2} />
            {gapCells.get(lane)?.map((one) => (
              <DrawnGap key={one.gaps[0]!.first} cell={one} />
            ))}
            {lane === 'operations' &&
              operationCells.map((one) => (
                <DrawnOperation key={one.operation.mark} cell={one} onOpen={() => selectNumber(one.operation.mark)} />
              ))}
            {cells.get(lane)?.map((one) => (
              <DrawnMarks
                key={one.marks[0]!.number}
                cell={one}
                selected={selected !== undefined && one.marks.includes(selected)}
                onOpen={() => {
                  if (one.marks.length === 1) onSelect(one.marks[0]!)
                  else {
                    onSelect(one.marks.find((mark) => mark.error !== '') ?? one.marks[0]!)
                    const span = Math.max(one.marks.at(-1)!.start - one.marks[0]!.start, 0.05)
                    onWindow({
                      from: Math.max(from, one.marks[0]!.start - span / 4),
                      to: Math.min(to, one.marks.at(-1)!.start + span / 4),
                    })
                  }
                }}
              />
            ))}
          </g>
        ))}
        {ending !== '' && to <= view.to && (
          <text
            class={`ending ${x(to) < width / 2 ? 'left' : ''}`}
            x={x(to) + (x(to) < width / 2 ? 10 : -10)}
            y={laneHeight / 2 - 6}
          >
            {ending}
          </text>
        )}
        {selected && selected.start >= view.from && selected.start <= view.to && (
          <line class="cursor" x1={x(selected.start)} x2={x(selected.start)} y1={0} y2={height - axisHeight} />
        )}
        <Axis view={view} origin={from} x={x} y={height - axisHeight} />
      </svg>
    </div>
  )
}
