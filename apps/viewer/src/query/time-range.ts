/** A part of time in epoch milliseconds; the bounds are part of it, and infinite where it is open. */
export interface TimeRange {
  readonly from: number
  readonly to: number
}

export const always: TimeRange = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY }

/** Whether the range leaves nothing out. */
export function isAlways({ from, to }: TimeRange): boolean {
  return from === Number.NEGATIVE_INFINITY && to === Number.POSITIVE_INFINITY
}

/** Whether what lasted from `start` to `end` has a part within the range. */
export function overlaps(range: TimeRange, start: number, end: number): boolean {
  return start <= range.to && end >= range.from
}
