import { type Level, type LogRecord, levels, textAttribute } from '../model.ts'
import * as names from '../names.ts'
import { parseSearch } from '../search/parse.ts'
import { logHas } from '../search/records.ts'
import type { LogStore } from '../store/logs.ts'
import type { LogList, LogRow } from '../wire.ts'
import { always, type TimeRange } from './time-range.ts'

/** What a log record must have to be listed; empty fields ask for nothing. */
export interface LogFilter {
  /** What is searched, in the language of `parseSearch`. */
  readonly text: string
  readonly service: string
  /** The least level. */
  readonly level: Level | ''
  /** Default: always. */
  readonly range?: TimeRange
}

/** The newest log records that match, at most `limit` of them; those from `before` on (epoch milliseconds) are left out. */
export function listLogs(logs: LogStore, filter: LogFilter, limit: number, before = Number.POSITIVE_INFINITY): LogList {
  const { terms, problems } = parseSearch(filter.text)
  const least = filter.level === '' ? 0 : levels.indexOf(filter.level)
  const range = filter.range ?? always
  const services = new Set<string>()
  let rows: LogRecord[] = []
  let matching = 0
  const newest = () => rows.sort((a, b) => b.time - a.time || b.number - a.number).slice(0, limit)
  for (const log of logs.newest()) {
    if (services.size < 200) services.add(log.resource.service)
    if (log.time < range.from || log.time > range.to || levels.indexOf(log.level) < least) continue
    if (filter.service !== '' && log.resource.service !== filter.service) continue
    if (!terms.every((term) => logHas(log, term) !== term.negated)) continue
    matching++
    if (log.time >= before) continue
    rows.push(log)
    if (rows.length >= 4 * limit) rows = newest()
  }
  return { rows: newest().map(logRow), matching, total: logs.count, problems, services: [...services].sort() }
}

/** What a list says of a log record. */
export function logRow(log: LogRecord): LogRow {
  return {
    id: String(log.number),
    time: log.time,
    level: log.level,
    severityText: log.severityText,
    body: log.body,
    eventName: log.eventName,
    attributes: log.attributes,
    traceId: log.traceId,
    spanId: log.spanId,
    service: log.resource.service,
    instance: log.resource.instance,
    resource: log.resource.attributes,
    scope: log.scope,
    connection: textAttribute(log.attributes, names.CONNECTION_ID),
    dropped: log.dropped,
  }
}
