import { type Span, textAttribute } from '../model.ts'
import * as names from '../names.ts'
import { isUsualClose } from '../store/connections.ts'
import { operationOf } from '../store/operation.ts'
import type { Trace, TraceStore } from '../store/traces.ts'
import type { TraceList, TraceRow } from '../wire.ts'
import { routeOf, type TraceFilter, traceTest } from './filter.ts'

/** Spans that one search looks at, at most: what keeps an update within milliseconds. */
const most = 100_000
/** Traces whose routes and services fill the menus. */
const menuTraces = 3000

/** The newest or slowest traces that match. */
export function listTraces(
  traces: TraceStore,
  filter: TraceFilter,
  sort: 'newest' | 'slowest',
  limit: number,
): TraceList {
  const test = traceTest(filter)
  let found: Trace[] = []
  const routes = new Set<string>()
  const services = new Set<string>()
  let matching = 0
  let looked = 0
  let seen = 0
  let cut = false
  for (const trace of traces.newest()) {
    if (looked >= most) {
      cut = true
      break
    }
    looked += trace.spans.size
    if (seen++ < menuTraces) menus(trace, routes, services)
    if (!test(trace)) continue
    matching++
    if (sort === 'slowest') {
      found.push(trace)
      if (found.length >= 4 * limit) found = slowest(found, limit)
    } else if (found.length < limit) found.push(trace)
  }
  if (sort === 'slowest') found = slowest(found, limit)
  // The newest to arrive, in the order in which they began: each process exports when it likes.
  else found.sort((a, b) => b.start - a.start || b.order - a.order)
  return {
    rows: found.map(row),
    matching,
    total: traces.traceCount,
    cut,
    routes: [...routes].sort(),
    services: [...services].sort(),
  }
}

function slowest(traces: Trace[], limit: number): Trace[] {
  return traces.sort((a, b) => b.end - b.start - (a.end - a.start)).slice(0, limit)
}

function menus(trace: Trace, routes: Set<string>, services: Set<string>): void {
  let looked = 0
  for (const span of trace.spans.values()) {
    if (routes.size < 200) {
      const route = routeOf(span)
      if (route !== '') routes.add(route)
    }
    if (services.size < 200) services.add(span.resource.service)
    if (++looked === 20) return
  }
}

/** The span that stands for its trace: a root, or where that is not here the earliest. */
function rootOf(trace: Trace): Span {
  let root: Span | undefined
  let earliest: Span | undefined
  for (const span of trace.spans.values()) {
    if (span.parentSpanId === '' && (root === undefined || span.start < root.start)) root = span
    if (!trace.spans.has(span.parentSpanId) && (earliest === undefined || span.start < earliest.start)) earliest = span
  }
  return root ?? earliest ?? trace.spans.values().next().value!
}

function row(trace: Trace): TraceRow {
  const root = rootOf(trace)
  const services = new Set<string>([root.resource.service])
  const nodes = new Set<string>()
  let route = routeOf(root)
  let connection = textAttribute(root.attributes, names.CONNECTION_ID)
  let error = ''
  let ended = ''
  let looked = 0
  for (const span of trace.spans.values()) {
    services.add(span.resource.service)
    if (nodes.size < 100) nodes.add(`${span.resource.service}\n${span.resource.instance}`)
    route ||= routeOf(span)
    connection ||= textAttribute(span.attributes, names.CONNECTION_ID)
    if (span.error) error ||= textAttribute(span.attributes, names.ERROR_TYPE) || span.statusMessage || 'error'
    ended ||= ending(span)
    if (++looked === 200) break
  }
  return {
    id: trace.id,
    name: root.name,
    kind: root.kind,
    operation: operationOf(root),
    start: trace.start,
    duration: trace.end - trace.start,
    spans: trace.spans.size,
    errors: trace.errors,
    error: error || ended,
    services: [...services],
    nodes: nodes.size,
    route,
    connection,
  }
}

/** What a handshake that was not accepted or an unusual close tells, though neither need be an error of the server. */
function ending({ attributes }: Span): string {
  const outcome = textAttribute(attributes, names.HANDSHAKE_OUTCOME)
  if (outcome === 'rejected') return `rejected ${textAttribute(attributes, names.HTTP_STATUS)}`.trim()
  if (outcome === 'abandoned' || outcome === 'failed') return outcome
  const category = textAttribute(attributes, names.CLOSE_CATEGORY)
  return category === '' || isUsualClose(category)
    ? ''
    : `${category} ${textAttribute(attributes, names.CLOSE_CODE)}`.trim()
}
