import { textAttribute } from '../model.ts'
import { ROUTE, UNDELIVERED_REASON } from '../names.ts'
import { type Counts, HighlightCounts } from '../store/highlights.ts'
import type { MetricStore, Series } from '../store/metrics.ts'
import { operationOf } from '../store/operation.ts'
import type { Store } from '../store/store.ts'
import type { Trace } from '../store/traces.ts'
import type { Highlights, SlowRoute } from '../wire.ts'
import { ConnectionTest } from './connection-list.ts'
import type { TraceTest } from './filter.ts'
import type { LiveQuery } from './live-query.ts'
import { always, overlaps, type TimeRange } from './time-range.ts'

const slow = 'websocket.server.connection.slow'
const buffered = 'websocket.server.send.buffered'
const undelivered = 'websocket.server.send.undelivered'
/** How far back a level speaks for now, in milliseconds. */
const recent = 300_000

/** Counts what one page is about: the traces and connections that its filters and its time range let pass. */
export class ScopedHighlights {
  readonly #counts = new HighlightCounts()

  /** Adds a trace that matches. */
  add(trace: Trace): void {
    for (const span of trace.spans.values()) this.#counts.add(span, operationOf(span))
  }

  read(store: Store, query: LiveQuery, range: TimeRange, now: number): Highlights {
    const test = new ConnectionTest(
      { text: query.text, route: query.route, service: query.service, state: '', range },
      now,
    )
    const connections = [...store.connections.values()].filter((connection) => test.passes(connection))
    return withMetrics(this.#counts.read(connections), store.metrics, query, range, now)
  }
}

/**
 * Counts the traces that match, until `enough` says not to look at further ones that were not looked at before. `complete` says
 * whether it has seen all.
 */
export function countTraces(
  store: Store,
  test: TraceTest,
  enough: () => boolean,
): { readonly scoped: ScopedHighlights; readonly complete: boolean } {
  const scoped = new ScopedHighlights()
  let seen = 0
  for (const trace of store.traces.newest()) {
    if (++seen % 16 === 0 && !test.knows(trace) && enough()) return { scoped, complete: false }
    if (test.passes(trace)) scoped.add(trace)
  }
  return { scoped, complete: true }
}

type Scope = Pick<LiveQuery, 'service' | 'route'>

/** Adds what metrics say and spans do not: they count every message, and the spans that were sampled out are missing. */
function withMetrics(
  highlights: Counts,
  metrics: MetricStore,
  scope: Scope,
  range: TimeRange,
  now: number,
): Highlights {
  const { routes, measured } = slowRoutes(metrics, scope, now)
  const counted = undeliveredBy(metrics, scope, range)
  const named = new Set(highlights.slowConsumers.map((consumer) => consumer.route))
  const { judged } = highlights
  return {
    ...highlights,
    // Where spans name the connections, their route says nothing more.
    slowRoutes: routes.filter((one) => !named.has(one.route)).slice(0, 5),
    undelivered: counted.all > highlights.undelivered.all ? counted : highlights.undelivered,
    undeliveredByMetrics: counted.all > highlights.undelivered.all,
    judged: { ...judged, consumers: judged.consumers + measured },
  }
}

/** Routes of which metrics say that they have slow consumers, without saying which connections these are. */
function slowRoutes(metrics: MetricStore, scope: Scope, now: number) {
  const found = new Map<string, { -readonly [Key in keyof SlowRoute]: SlowRoute[Key] }>()
  const waiting = new Map<string, number>()
  let measured = 0
  for (const series of metrics.all()) {
    if (series.name !== slow && series.name !== buffered) continue
    const last = series.samples.at(-1)
    if (last === undefined || last.to < now - recent || !isWithin(series, scope)) continue
    measured++
    const place = placeOf(series)
    const key = `${place.service}\n${place.route}`
    if (series.name === buffered) waiting.set(key, (waiting.get(key) ?? 0) + last.value)
    else if (last.value > 0) {
      const known = found.get(key)
      if (known === undefined) found.set(key, { ...place, connections: last.value, buffered: null })
      else known.connections += last.value
    }
  }
  for (const [key, route] of found) route.buffered = waiting.get(key) ?? null
  return { routes: [...found.values()].sort((a, b) => b.connections - a.connections), measured }
}

/** How many messages were not delivered, by reason. */
function undeliveredBy(metrics: MetricStore, scope: Scope, range: TimeRange): Highlights['undelivered'] {
  const counts = new Map<string, number>()
  for (const series of metrics.named(undelivered)) {
    if (!isWithin(series, scope)) continue
    const reason = textAttribute(series.attributes, UNDELIVERED_REASON)
    for (const { from, to, value } of series.samples) {
      if (overlaps(range, from, to)) counts.set(reason, (counts.get(reason) ?? 0) + value)
    }
  }
  const what = [...counts].filter(([, count]) => count > 0).sort(([, a], [, b]) => b - a)
  return {
    all: what.reduce((sum, [, count]) => sum + count, 0),
    what: what.slice(0, 5).map(([reason, count]) => ({ what: reason, count })),
  }
}

function isWithin(series: Series, { service, route }: Scope): boolean {
  const place = placeOf(series)
  return (service === '' || place.service === service) && (route === '' || place.route === route)
}

function placeOf(series: Series) {
  return { service: series.service, route: textAttribute(series.attributes, ROUTE) }
}

/** The highlights of all that is kept. */
export function allHighlights(store: Store, now: number): Highlights {
  return withMetrics(store.highlights, store.metrics, { service: '', route: '' }, always, now)
}
