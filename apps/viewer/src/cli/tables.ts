import { age, bytes, clock, duration, exact, moment } from '../format.ts'
import type { ConnectionList, Counted, Highlights, LogList, SessionList, TraceDetail, TraceList } from '../wire.ts'

/** Rows of cells as lines with columns of equal width; the last column is as wide as it is. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [head, ...rows.map((row) => row.map(printable))]
  const widths = head.map((_, column) => Math.min(40, Math.max(...all.map((row) => row[column]?.length ?? 0))))
  return all.map((row) =>
    row
      .map((cell, column) => (column === head.length - 1 ? cell : cell.slice(0, 40).padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
}

/** A text without characters that a terminal would obey: names come from strangers. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, (character) => (character === '\n' || character === '\t' ? ' ' : '�'))
}

/** What a list leaves out, and what of the search was not understood. */
function footer(list: { rows: readonly unknown[]; matching: number; problems: readonly string[] }): string[] {
  return [
    ...(list.matching > list.rows.length ? [`${exact(list.rows.length)} of ${exact(list.matching)} shown`] : []),
    ...list.problems.map((problem) => `not understood: ${problem}`),
  ]
}

export function traceLines(list: TraceList): string[] {
  const rows = list.rows.map((row) => [
    clock(row.start),
    duration(row.duration),
    exact(row.spans),
    row.services.join(','),
    row.id,
    `${row.name}${row.error === '' ? '' : `  ${row.error}`}`,
  ])
  return [...table(['TIME', 'DURATION', 'SPANS', 'SERVICES', 'TRACE', 'NAME'], rows), ...footer(list)]
}

export function connectionLines(list: ConnectionList): string[] {
  const rows = list.rows.map((row) => [
    row.dropped ? 'dropped' : row.state,
    row.route,
    `${row.user} ${row.peer}`.trim(),
    moment(row.opened).slice(11, 19),
    exact(row.received),
    exact(row.sent),
    row.buffered === null ? '-' : bytes(row.buffered),
    row.id,
    [row.closeCategory, row.closeCode ?? '', row.closeReason, row.errorType].filter((part) => part !== '').join(' '),
  ])
  const head = ['STATE', 'ROUTE', 'PEER', 'OPENED', 'RECEIVED', 'SENT', 'BUFFERED', 'CONNECTION', 'CLOSE']
  return [...table(head, rows), ...footer(list)]
}

export function sessionLines(list: SessionList): string[] {
  const rows = list.rows.map((row) => [
    exact(row.connections),
    exact(row.open),
    exact(row.dropped),
    row.away === 0 ? '' : age(row.away),
    exact(row.received),
    exact(row.sent),
    exact(row.undelivered),
    row.id,
  ])
  const head = ['CONNECTIONS', 'OPEN', 'DROPPED', 'AWAY', 'RECEIVED', 'SENT', 'UNDELIVERED', 'SESSION']
  return [...table(head, rows), ...footer(list)]
}

export function logLines(list: LogList): string[] {
  const rows = list.rows.map((row) => [
    clock(row.time),
    row.level,
    row.service,
    row.traceId || '-',
    row.body || row.eventName,
  ])
  return [...table(['TIME', 'LEVEL', 'SERVICE', 'TRACE', 'MESSAGE'], rows), ...footer(list)]
}

export function highlightLines(highlights: Highlights): string[] {
  const { slowest, failing, rejected, dropped, undelivered, slowConsumers, slowRoutes, judged } = highlights
  const rows: string[][] = [
    ...slowest.map(({ name, service, p95, count }) => [
      'slow',
      service,
      `${name}: p95 ${duration(p95)} of ${exact(count)}`,
    ]),
    ...failing.map(({ name, service, failed, count, errors }) => {
      const what = errors.map((error) => `${error.what} ${exact(error.count)}`).join(', ')
      return ['failing', service, `${name}: ${exact(failed)} of ${exact(count)} failed: ${what}`]
    }),
    ...counted('rejected', rejected),
    ...counted('dropped', dropped),
    ...counted('undelivered', undelivered),
    ...slowConsumers.map((one) => [
      'slow consumer',
      '',
      `${one.user || one.peer || one.id}: ${bytes(one.buffered)} waiting`,
    ]),
    ...slowRoutes.map((one) => [
      'slow consumer',
      one.service,
      `${exact(one.connections)} on ${one.route || 'all routes'}`,
    ]),
  ]
  const basis = `judged by ${exact(judged.operations)} runs, ${exact(judged.handshakes)} handshakes, ${exact(judged.closes)} closes, ${exact(judged.sends)} sends`
  return [...table(['WHAT', 'SERVICE', 'DETAIL'], rows), basis]
}

function counted(what: string, { what: entries }: Counted): string[][] {
  return entries.map((entry) => [what, '', `${entry.what}: ${exact(entry.count)}`])
}

export function waterfallLines(trace: TraceDetail): string[] {
  const rows = trace.spans.map((span, index) => [
    `+${duration(span.start - trace.start)}`,
    duration(span.duration),
    [span.service, span.instance].filter(Boolean).join(' '),
    `${'  '.repeat(Math.min(trace.depths[index] ?? 0, 12))}${span.error ? '! ' : ''}${span.name}${span.statusMessage === '' ? '' : `: ${span.statusMessage}`}`,
  ])
  return [
    ...table(['AT', 'DURATION', 'PROCESS', 'SPAN'], rows),
    ...(trace.omitted > 0 ? [`${exact(trace.omitted)} of ${exact(trace.total)} spans are not shown`] : []),
    ...trace.doubts.map((doubt) => `doubtful: ${doubt}`),
    ...trace.logs.map((log) => printable(`${clock(log.time)}  ${log.level}  ${log.body}`)),
  ]
}
