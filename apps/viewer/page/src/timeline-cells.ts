import type { Mark } from '../../src/wire.ts'

/** A part of a timeline, in epoch milliseconds. */
export interface TimeWindow {
  readonly from: number
  readonly to: number
}

/** From top to bottom. */
export const lanes = ['lifecycle', 'received', 'sent', 'peer'] as const
export type Lane = (typeof lanes)[number]

/** Marks closer than this are drawn as one, whose height tells how many they are. */
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
