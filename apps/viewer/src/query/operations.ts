import { numberAttribute, type Span, textAttribute } from '../model.ts'
import * as names from '../names.ts'
import { type Connection, isOtherEnd } from '../store/connection.ts'
import { operationOf } from '../store/operation.ts'
import type { OperationRow } from '../wire.ts'

/** Operations of one connection that are shown: the newest. */
const most = 500

type Row = { -readonly [Key in keyof OperationRow]: OperationRow[Key] }

/** The operations that ran within the messages of a connection, from what asked for them to what ended them. */
export function operationsOf(connection: Connection): OperationRow[] {
  const rows: Row[] = []
  /** The last operation of each id: an id may be used again once its operation has ended. */
  const latest = new Map<string, Row>()
  for (const [span, mark] of connection.marks) {
    const id = textAttribute(span.attributes, names.OPERATION_ID)
    if (id === '' && textAttribute(span.attributes, names.OPERATION_NAME) === '') continue
    if (isOtherEnd(connection, span)) continue
    const ends = operationOf(span) === 'complete'
    const known = ends ? latest.get(id) : undefined
    if (known !== undefined) complete(known, span)
    else {
      const row = rowOf(span, mark, ends)
      rows.push(row)
      latest.set(id, row)
    }
  }
  return rows.sort((a, b) => a.start - b.start).slice(-most)
}

function rowOf(span: Span, mark: number, ends: boolean): Row {
  const text = (key: string) => textAttribute(span.attributes, key)
  const type = text(names.OPERATION_TYPE)
  return {
    id: text(names.OPERATION_ID),
    mark,
    name: text(names.OPERATION_NAME) || span.name,
    type,
    outcome: text(names.OPERATION_OUTCOME),
    start: span.start,
    end: span.start + span.duration,
    // A subscription goes on until its end is recorded.
    ended: ends || (type !== 'subscription' && type !== 'stream'),
    items: numberAttribute(span.attributes, names.STREAM_ITEMS) ?? null,
    error: span.error,
  }
}

function complete(row: Row, span: Span): void {
  row.ended = true
  row.end = Math.max(row.end, span.start + span.duration)
  row.outcome = textAttribute(span.attributes, names.OPERATION_OUTCOME) || row.outcome
  row.items = numberAttribute(span.attributes, names.STREAM_ITEMS) ?? row.items
  row.error ||= span.error
}
