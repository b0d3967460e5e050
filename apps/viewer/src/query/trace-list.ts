import type { Span } from '../model.ts'
import { operationOf } from '../store/operation.ts'
import { connectionOf, routeOf } from '../store/place.ts'
import type { Trace, TraceStore } from '../store/traces.ts'
import type { TraceList, TraceRow } from '../wire.ts'
import { type TraceFilter, TraceTest } from './filter.ts'

/** Traces whose routes and services fill the menus. */
const menuTraces = 3000

export type TraceSort = 'newest' | 'slowest' | 'errors' | 'spans'

export interface ListOptions {
  /** Of traces sorted by time, those that began before it; epoch milliseconds. Default: all. */
  readonly before?: number
  /** Traces at the top of any other order that are left out. Default 0. */
  readonly skip?: number
  /** Test made of the filter earlier, which remembers what it found. */
  readonly test?: TraceTest
  /** Whether to stop looking at traces that were not looked at before; asked now and then. Default: never. */
  readonly enough?: () => boolean
  /** Called with every trace that matches. */
  readonly each?: (trace: Trace) => void
}

/** The traces that match, in the order asked for, at most `limit` of them. */
export function listTraces(
  traces: TraceStore,
  filter: TraceFilter,
  sort: TraceSort,
  limit: number,
  { before = Number.POSITIVE_INFINITY, skip = 0, test = new TraceTest(filter), enough, each }: ListOptions = {},
): TraceList {
  const weight = weights[sort]
  const most = sort === 'newest' ? limit : skip + limit
  let found: Trace[] = []
  const routes = new Set<string>()
  const services = new Set<string>()
  let matching = 0
  let seen = 0
  let cut = false
  const best = () => found.sort((a, b) => weight(b) - weight(a) || b.order - a.order).slice(0, most)
  for (const trace of traces.newest()) {
    if (seen < menuTraces) menus(trace, routes, services)
    if (++seen % 16 === 0 && !test.knows(trace) && enough?.()) {
      cut = true
      break
    }
    if (!test.passes(trace)) continue
    matching++
    each?.(trace)
    if (sort === 'newest' && trace.start >= before) continue
    found.push(trace)
    if (found.length >= 4 * most) found = best()
  }
  found = best().slice(sort === 'newest' ? 0 : skip)
  return {
    rows: found.map(row),
    matching,
    total: traces.traceCount,
    searched: cut ? seen : traces.traceCount,
    problems: test.problems,
    routes: [...routes].sort(),
    services: [...services].sort(),
  }
}

const weights: Readonly<Record<TraceSort, (trace: Trace) => number>> = {
  newest: (trace) => trace.start,
  slowest: (trace) => trace.end - trace.start,
  errors: (trace) => trace.errors,
  spans: (trace) => trace.spans.size,
}

function menus(trace: Trace, routes: Set<string>, services: Set<string>): void {
  if (trace.route !== '' && routes.size < 200) routes.add(trace.route)
  if (services.size < 200) for (const { service } of trace.resources) services.add(service)
}

/** The span that stands for its trace: a root, or where that is not here the earliest whose parent is not here either. */
export function rootOf(trace: Trace): Span {
  if (trace.root !== undefined) return trace.root
  let earliest: Span | undefined
  for (const span of trace.spans.values()) {
    if (!trace.spans.has(span.parentSpanId) && (earliest === undefined || span.start < earliest.start)) earliest = span
  }
  return earliest ?? trace.spans.values().next().value!
}

/** What a list says of a trace. */
export function row(trace: Trace): TraceRow {
  const root = rootOf(trace)
  return {
    id: trace.id,
    name: root.name,
    kind: root.kind,
    operation: operationOf(root),
    start: trace.start,
    duration: trace.end - trace.start,
    spans: trace.spans.size,
    errors: trace.errors,
    error: trace.error || trace.ending,
    services: [...new Set([root.resource.service, ...trace.resources.map(({ service }) => service)])],
    nodes: trace.resources.length,
    route: routeOf(root) || trace.route,
    connection: connectionOf(root) || trace.connection,
  }
}
