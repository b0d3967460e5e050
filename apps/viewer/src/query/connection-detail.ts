import { type LogRecord, numberAttribute, type Span, textAttribute } from '../model.ts'
import * as names from '../names.ts'
import { type Connection, isOtherEnd } from '../store/connection.ts'
import type { ConnectionStore } from '../store/connections.ts'
import { errorOf } from '../store/failure.ts'
import type { LogStore } from '../store/logs.ts'
import { operationOf } from '../store/operation.ts'
import type { TraceStore } from '../store/traces.ts'
import type { ConnectionDetail, Mark } from '../wire.ts'
import { connectionRow, type FactsOf } from './connection-list.ts'
import { accountOf } from './gaps.ts'
import { logRow } from './log-list.ts'
import { noteOf } from './note.ts'
import { operationsOf } from './operations.ts'

/** Marks of one connection that are shown: the newest. */
const most = 5000
/** Log records of one connection that are shown, and traces whose records are looked at for them: the newest. */
const mostLogs = 200
const mostLogTraces = 1000

/**
 * One connection with the marks from number `since` on; null when it is not known. With `since` 0 the answer replaces
 * what the page has.
 */
export function connectionDetail(
  connections: ConnectionStore,
  traces: TraceStore,
  id: string,
  since: number,
  factsOf: FactsOf,
  logs?: LogStore,
): ConnectionDetail | null {
  const connection = connections.get(id)
  if (connection === undefined) return null
  const all = [...connection.marks]
  const shown = all.slice(-most)
  const sent = accountOf(connection, 'sent')
  const received = accountOf(connection, 'received')
  const records = logs === undefined ? [] : logsOf(connection, logs)
  return {
    row: connectionRow(connection, factsOf),
    marks: shown.filter(([, number]) => number >= since).map(([span, number]) => mark(connection, span, number)),
    firstMark: shown[0]?.[1] ?? connection.nextMark,
    omitted: connection.nextMark - shown.length,
    reset: since === 0,
    previous: previousOf(connection, traces),
    next: nextOf(connection, traces),
    sent: sent.account,
    received: received.account,
    gaps: [...received.gaps, ...sent.gaps],
    operations: operationsOf(connection),
    logs: records.slice(-mostLogs).map(logRow),
    logCount: records.length,
    attributes: [...connection.attributes],
  }
}

/** The records that carry the id of the connection, and those of its spans, by time. */
function logsOf({ id, marks }: Connection, logs: LogStore): LogRecord[] {
  const found = new Set(logs.ofConnection(id))
  for (const span of [...marks.keys()].slice(-mostLogTraces)) {
    for (const log of logs.ofTrace(span.traceId)) if (log.spanId === span.spanId) found.add(log)
  }
  return [...found].sort((a, b) => a.time - b.time)
}

/** Id of the connection that was lost and that this one replaces; empty when there is none or it is not known. */
function previousOf({ replaces }: Connection, traces: TraceStore): string {
  const attempt = replaces && traces.get(replaces.traceId)?.spans.get(replaces.spanId)
  return attempt === undefined ? '' : textAttribute(attempt.attributes, names.CONNECTION_ID)
}

/** Id of the connection that replaced this one; empty when there is none or it is not known. */
function nextOf({ connect }: Connection, traces: TraceStore): string {
  if (connect === undefined) return ''
  for (const span of traces.linksTo(connect.traceId, connect.spanId) ?? []) {
    const link = span.links.find((one) => one.traceId === connect.traceId && one.spanId === connect.spanId)
    if (textAttribute(link?.attributes ?? [], names.LINK_KIND) === 'previous') {
      const id = textAttribute(span.attributes, names.CONNECTION_ID)
      if (id !== '') return id
    }
  }
  return ''
}

function mark(connection: Connection, span: Span, number: number): Mark {
  const operation = operationOf(span)
  return {
    number,
    traceId: span.traceId,
    spanId: span.spanId,
    operation,
    name: span.name,
    start: span.start,
    duration: span.duration,
    error: span.error ? errorOf(span) : '',
    size: numberAttribute(span.attributes, names.MESSAGE_SIZE) ?? null,
    sequence: numberAttribute(span.attributes, names.MESSAGE_SEQUENCE) ?? null,
    note: noteOf(span, operation),
    peer: isOtherEnd(connection, span),
  }
}
