import type { Gap, Mark, OperationRow } from '../../src/wire.ts'

/** A part of a timeline, in epoch milliseconds. */
export interface TimeWindow {
  readonly from: number
  readonly to: number
}

/** From top to bottom. */
export const lanes = ['lifecycle', 'operations', 'received', 'sent', 'peer'] as const
export type Lane = (typeof lanes)[number]

/** Marks closer than this are drawn as one, whose height says how many they are. */
const cell = 6

/** From time to pixels. */
interface Scale {
  readonly x: (time: number) => number
  readonly left: number
  readonly width: number
}

/** One or more marks that are drawn as one. */
export interface Cell {
  readonly x: number
  readonly width: number
  readonly marks: Mark[]
}

function laneOf(mark: Mark): Lane {
  if (mark.peer) return 'peer'
  if (mark.operation === 'process') return 'received'
  return mark.operation === 'send' || mark.operation === 'broadcast' || mark.operation === 'deliver'
    ? 'sent'
    : 'lifecycle'
}

/** What is drawn of the marks in view, by lane: as many things as there is room for, however many marks there are. */
export function cellsOf(
  marks: readonly Mark[],
  view: TimeWindow,
  { x, left, width }: Scale,
): ReadonlyMap<Lane, readonly Cell[]> {
  const drawn = new Map<Lane, Cell[]>()
  for (const mark of marks) {
    if (mark.start > view.to || mark.start + mark.duration < view.from) continue
    const lane = laneOf(mark)
    const list = drawn.get(lane) ?? []
    drawn.set(lane, list)
    const at = Math.max(x(mark.start), left - 4)
    const previous = list.at(-1)
    if (previous !== undefined && at - previous.x < cell && lane !== 'lifecycle') previous.marks.push(mark)
    else list.push({ x: at, width: Math.min((mark.duration / (view.to - view.from)) * width, width), marks: [mark] })
  }
  return drawn
}

/** Messages without a mark, as a stretch of the lane of their direction. */
export interface GapCell {
  readonly x: number
  readonly width: number
  readonly gaps: Gap[]
}

/** What is drawn of the gaps in view, by lane; neighbours that are closer than a cell are one. */
export function gapCellsOf(
  gaps: readonly Gap[],
  view: TimeWindow,
  { x, left, width }: Scale,
): ReadonlyMap<Lane, readonly GapCell[]> {
  const drawn = new Map<Lane, GapCell[]>()
  for (const gap of [...gaps].sort((a, b) => a.from - b.from)) {
    if (gap.from > view.to || gap.to < view.from) continue
    const list = drawn.get(gap.direction) ?? []
    drawn.set(gap.direction, list)
    const from = Math.max(x(gap.from), left)
    const to = Math.min(x(gap.to), left + width)
    const previous = list.at(-1)
    if (previous !== undefined && from - previous.x < cell) previous.gaps.push(gap)
    else list.push({ x: from, width: Math.max(to - from, 3), gaps: [gap] })
  }
  return drawn
}

/** Rows within the lane of operations: those that run at the same time are drawn below each other. */
export const operationRows = 3

export interface OperationCell {
  readonly x: number
  readonly width: number
  /** Row within the lane, from 0. */
  readonly row: number
  readonly operation: OperationRow
}

/** What is drawn of the operations in view; one that has not ended lasts until now. */
export function operationCellsOf(
  operations: readonly OperationRow[],
  view: TimeWindow,
  now: number,
  { x, left, width }: Scale,
): OperationCell[] {
  const busyUntil = new Array<number>(operationRows).fill(Number.NEGATIVE_INFINITY)
  const cells: OperationCell[] = []
  for (const operation of operations) {
    const end = operation.ended ? operation.end : now
    if (operation.start > view.to || end < view.from) continue
    const from = Math.max(x(operation.start), left)
    const to = Math.min(Math.max(x(end), from + 3), left + width)
    const free = busyUntil.findIndex((until) => until < from)
    const row = free < 0 ? busyUntil.indexOf(Math.min(...busyUntil)) : free
    busyUntil[row] = to
    cells.push({ x: from, width: Math.max(to - from, 3), row, operation })
  }
  return cells
}
