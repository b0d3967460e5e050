import { type Resource, type Span, type SpanEvent, type SpanKind, type SpanLink, spanKinds } from '../model.ts'
import { limits } from './limits.ts'
import { readResource } from './resource.ts'
import {
  attributes,
  type Budget,
  type Fields,
  fields,
  fullBudget,
  id,
  leftOut,
  list,
  milliseconds,
  nanoseconds,
  shared,
  text,
} from './values.ts'

export interface ReadResult<T> {
  readonly items: T[]
  /** How many were left out as invalid, and why the first of them was. */
  readonly rejected: number
  readonly reason: string
}

/** Reads a trace request, protobuf or JSON. Invalid spans are counted; a request that is no trace request throws. */
export function readSpans(request: unknown): ReadResult<Span> {
  const items: Span[] = []
  let rejected = 0
  let reason = ''
  for (const group of list(fields(request), 'resourceSpans')) {
    const resource = readResource(fields(group).resource)
    for (const scoped of list(fields(group), 'scopeSpans')) {
      const scope = shared(text(fields(fields(scoped).scope).name, limits.nameLength))
      for (const value of list(fields(scoped), 'spans')) {
        const span = readSpan(fields(value), resource, scope)
        if (typeof span === 'string') {
          rejected++
          reason ||= span
        } else items.push(span)
      }
    }
  }
  return { items, rejected, reason }
}

function readSpan(message: Fields, resource: Resource, scope: string): Span | string {
  const traceId = id(message.traceId, 16)
  const spanId = id(message.spanId, 8)
  if (traceId === '' || spanId === '') return 'a span without a valid trace id and span id'
  const start = nanoseconds(message.startTimeUnixNano)
  const end = nanoseconds(message.endTimeUnixNano)
  if (start === undefined || end === undefined) return 'a span without a valid start and end time'
  const status = fields(message.status)
  const budget = fullBudget()
  const lists = { events: list(message, 'events'), links: list(message, 'links') }
  const kept = attributes(message, budget)
  const links = lists.links.slice(0, limits.links).flatMap((link) => readLink(fields(link), budget))
  const events = lists.events
    .slice(0, limits.events)
    .map((event) => readEvent(fields(event), milliseconds(start), budget))
  budget.dropped += lists.events.length - events.length + (lists.links.length - links.length)
  return {
    traceId,
    spanId,
    parentSpanId: id(message.parentSpanId, 8),
    name: shared(text(message.name, limits.nameLength)) || '(no name)',
    kind: kind(message.kind),
    start: milliseconds(start),
    duration: end > start ? Number(end - start) / 1e6 : 0,
    error: status.code === 2 || status.code === 'STATUS_CODE_ERROR',
    statusMessage: text(status.message, limits.valueLength),
    attributes: kept,
    events,
    links,
    dropped:
      budget.dropped +
      leftOut(message.droppedAttributesCount) +
      leftOut(message.droppedEventsCount) +
      leftOut(message.droppedLinksCount),
    resource,
    scope,
  }
}

function kind(value: unknown): SpanKind {
  if (typeof value === 'number') return spanKinds[value] ?? 'unspecified'
  // Some encoders write enums by name.
  const name = typeof value === 'string' ? value.replace(/^SPAN_KIND_/, '').toLowerCase() : ''
  return spanKinds.find((known) => known === name) ?? 'unspecified'
}

function readEvent(message: Fields, fallback: number, budget: Budget): SpanEvent {
  const time = nanoseconds(message.timeUnixNano)
  return {
    name: shared(text(message.name, limits.nameLength)),
    time: time === undefined ? fallback : milliseconds(time),
    attributes: attributes(message, budget),
  }
}

function readLink(message: Fields, budget: Budget): SpanLink[] {
  const traceId = id(message.traceId, 16)
  const spanId = id(message.spanId, 8)
  return traceId === '' || spanId === '' ? [] : [{ traceId, spanId, attributes: attributes(message, budget) }]
}
