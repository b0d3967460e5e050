import { numberAttribute, type Span } from '../model.ts'
import * as names from '../names.ts'
import { type Connection, type Direction, directionOf, isOtherEnd } from '../store/connection.ts'
import { operationOf } from '../store/operation.ts'
import type { Account, Gap } from '../wire.ts'

/** Gaps of one direction that are kept apart; what is beyond them is in the account. */
const mostGaps = 1000

interface Counted {
  readonly sequence: number
  readonly time: number
  /** Cumulative, up to and including this message; undefined where it is as on the span before. */
  readonly broadcast: number | undefined
  readonly unrecorded: number | undefined
}

/** Where every message of one direction is: a mark of its own, or a part of a gap that says why it has none. */
export function accountOf(connection: Connection, direction: Direction): { account: Account; gaps: Gap[] } {
  const counted = countedBy(connection, direction)
  const total = Math.max(connection[direction], counted.at(-1)?.sequence ?? 0)
  const end = endOf(connection, direction, total)
  const gaps: Gap[] = []
  let before: Counted = { sequence: 0, time: connection.opened, broadcast: 0, unrecorded: 0 }
  for (const next of [...counted, end]) {
    const gap = gapBetween(before, next, direction)
    if (gap !== undefined) gaps.push(gap)
    // A count is on a span where it has changed.
    before = {
      ...next,
      broadcast: next.broadcast ?? before.broadcast,
      unrecorded: next.unrecorded ?? before.unrecorded,
    }
  }
  const { count, highest } = connection.evicted[direction]
  let evictedLeft = count
  for (const gap of gaps) {
    const evicted = gap.first <= highest ? Math.min(evictedLeft, gap.unexplained) : 0
    evictedLeft -= evicted
    Object.assign(gap, { evicted, unexplained: gap.unexplained - evicted })
  }
  const sum = (key: 'broadcast' | 'unrecorded' | 'evicted' | 'unexplained') =>
    gaps.reduce((all, gap) => all + gap[key], 0)
  return {
    account: {
      total,
      listed: counted.length,
      broadcast: sum('broadcast'),
      unrecorded: sum('unrecorded'),
      evicted: sum('evicted'),
      unexplained: sum('unexplained'),
    },
    gaps: gaps.slice(-mostGaps),
  }
}

/** The spans of the direction by sequence, each message once. */
function countedBy(connection: Connection, direction: Direction): Counted[] {
  const bySequence = new Map<number, Counted>()
  for (const span of connection.marks.keys()) {
    if (directionOf(operationOf(span)) !== direction || isOtherEnd(connection, span)) continue
    const sequence = numberAttribute(span.attributes, names.MESSAGE_SEQUENCE)
    if (sequence !== undefined) bySequence.set(sequence, { sequence, time: span.start, ...countsOf(span, direction) })
  }
  return [...bySequence.values()].sort((a, b) => a.sequence - b.sequence)
}

function countsOf({ attributes }: Span, direction: Direction) {
  const received = direction === 'received'
  return {
    // Nothing that is received is the member of a broadcast.
    broadcast: received ? 0 : numberAttribute(attributes, names.BROADCAST_SENT),
    unrecorded: numberAttribute(attributes, received ? names.UNRECORDED_RECEIVED : names.UNRECORDED_SENT),
  }
}

/** The counts at the end of the connection, or the last that are known: they explain the messages after the last mark. */
function endOf(connection: Connection, direction: Direction, total: number): Counted {
  let broadcast: number | undefined
  let unrecorded: number | undefined
  for (const span of connection.marks.keys()) {
    if (isOtherEnd(connection, span)) continue
    // Counts never become smaller, and each is on the spans where it has changed.
    const counts = countsOf(span, direction)
    broadcast = larger(broadcast, counts.broadcast)
    unrecorded = larger(unrecorded, counts.unrecorded)
  }
  const time = connection.state === 'open' ? connection.lastSeen : connection.closed
  return { sequence: total + 1, time, broadcast, unrecorded }
}

function larger(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || (b !== undefined && b > a) ? b : a
}

function gapBetween(before: Counted, next: Counted, direction: Direction): Gap | undefined {
  const first = before.sequence + 1
  const count = next.sequence - first
  if (count <= 0) return undefined
  const broadcast = Math.min(count, grown(before.broadcast, next.broadcast))
  const unrecorded = Math.min(count - broadcast, grown(before.unrecorded, next.unrecorded))
  const unexplained = count - broadcast - unrecorded
  return {
    direction,
    first,
    last: next.sequence - 1,
    from: Math.min(before.time, next.time),
    to: next.time,
    count,
    broadcast,
    unrecorded,
    evicted: 0,
    unexplained,
  }
}

function grown(before: number | undefined, next: number | undefined): number {
  return before === undefined || next === undefined ? 0 : Math.max(0, next - before)
}
