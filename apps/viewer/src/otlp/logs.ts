import { type Level, levels, type Resource } from '../model.ts'
import type { NewLog } from '../store/logs.ts'
import { limits } from './limits.ts'
import { readResource } from './resource.ts'
import type { ReadResult } from './spans.ts'
import {
  anyText,
  attributes,
  type Fields,
  fields,
  fullBudget,
  id,
  leftOut,
  list,
  milliseconds,
  nanoseconds,
  number,
  shared,
  text,
} from './values.ts'

/** Reads a logs request, protobuf or JSON. Invalid records are counted; a request that is no logs request throws. */
export function readLogs(request: unknown): ReadResult<NewLog> {
  const items: NewLog[] = []
  let rejected = 0
  let reason = ''
  for (const group of list(fields(request), 'resourceLogs')) {
    const resource = readResource(fields(group).resource)
    for (const scoped of list(fields(group), 'scopeLogs')) {
      const scope = shared(text(fields(fields(scoped).scope).name, limits.nameLength))
      for (const value of list(fields(scoped), 'logRecords')) {
        const log = readLog(fields(value), resource, scope)
        if (typeof log === 'string') {
          rejected++
          reason ||= log
        } else items.push(log)
      }
    }
  }
  return { items, rejected, reason }
}

function readLog(message: Fields, resource: Resource, scope: string): NewLog | string {
  const time = nanoseconds(message.timeUnixNano) ?? nanoseconds(message.observedTimeUnixNano)
  if (time === undefined) return 'a log record without a valid time'
  const budget = fullBudget()
  const severity = severityOf(message.severityNumber)
  return {
    time: milliseconds(time),
    severity,
    severityText: shared(text(message.severityText, limits.nameLength)),
    level: levelOf(severity),
    body: anyText(message.body, limits.bodyLength),
    eventName: shared(text(message.eventName, limits.nameLength)),
    attributes: attributes(message, budget),
    traceId: id(message.traceId, 16),
    spanId: id(message.spanId, 8),
    resource,
    scope,
    dropped: budget.dropped + leftOut(message.droppedAttributesCount),
  }
}

function severityOf(value: unknown): number {
  // Some encoders write enums by name: SEVERITY_NUMBER_WARN2.
  const named = typeof value === 'string' ? /^SEVERITY_NUMBER_([A-Z]+)([2-4]?)$/.exec(value) : null
  if (named !== null) {
    const step = levels.indexOf(named[1]!.toLowerCase() as Level)
    return step < 0 ? 0 : 4 * step + Number(named[2] || 1)
  }
  const severity = number(value) ?? 0
  return Number.isInteger(severity) && severity >= 1 && severity <= 24 ? severity : 0
}

function levelOf(severity: number): Level {
  return severity === 0 ? 'info' : levels[Math.floor((severity - 1) / 4)]!
}
