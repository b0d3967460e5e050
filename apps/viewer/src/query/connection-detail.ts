import { numberAttribute, type Span, textAttribute } from '../model.ts'
import * as names from '../names.ts'
import type { Connection, ConnectionStore } from '../store/connections.ts'
import { operationOf } from '../store/operation.ts'
import type { ConnectionDetail, Mark } from '../wire.ts'
import { connectionRow, type FactsOf } from './connection-list.ts'

/** Marks of one connection that are shown: the newest. */
const most = 5000

/**
 * One connection with the marks from number `since` on; null when it is not known. With `since` 0 the answer replaces
 * what the page has.
 */
export function connectionDetail(
  connections: ConnectionStore,
  id: string,
  since: number,
  factsOf: FactsOf,
): ConnectionDetail | null {
  const connection = connections.get(id)
  if (connection === undefined) return null
  const all = [...connection.marks]
  const shown = all.slice(-most)
  return {
    row: connectionRow(connection, factsOf),
    marks: shown.filter(([, number]) => number >= since).map(([span, number]) => mark(connection, span, number)),
    firstMark: shown[0]?.[1] ?? connection.nextMark,
    omitted: connection.nextMark - shown.length,
    reset: since === 0,
  }
}

function mark(connection: Connection, span: Span, number: number): Mark {
  return {
    number,
    traceId: span.traceId,
    spanId: span.spanId,
    operation: operationOf(span),
    name: span.name,
    start: span.start,
    duration: span.duration,
    error: span.error ? textAttribute(span.attributes, names.ERROR_TYPE) || span.statusMessage || 'error' : '',
    size: numberAttribute(span.attributes, names.MESSAGE_SIZE) ?? null,
    sequence: numberAttribute(span.attributes, names.MESSAGE_SEQUENCE) ?? null,
    peer: span.resource.service !== connection.service,
  }
}
