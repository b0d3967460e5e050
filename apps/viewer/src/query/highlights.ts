import { textAttribute } from '../model.ts'
import { ROUTE } from '../names.ts'
import { HighlightCounts } from '../store/highlights.ts'
import type { MetricStore, Series } from '../store/metrics.ts'
import { operationOf } from '../store/operation.ts'
import type { Store } from '../store/store.ts'
import type { Trace } from '../store/traces.ts'
import type { Highlights, SlowRoute } from '../wire.ts'
import { ConnectionTest } from './connection-list.ts'
import type { TraceTest } from './filter.ts'
import type { LiveQuery } from './live-query.ts'
import type { TimeRange } from './time-range.ts'

const slow = 'websocket.server.connection.slow'
const buffered = 'websocket.server.send.buffered'
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
    return withRoutes(this.#counts.read(connections), store.metrics, query, now)
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

/** Adds what only metrics say: the routes that have slow consumers, where no span says which connections they are. */
function withRoutes(
  highlights: Omit<Highlights, 'slowRoutes'>,
  metrics: MetricStore,
  { service, route }: Pick<LiveQuery, 'service' | 'route'>,
  now: number,
): Highlights {
  const slowRoutes = new Map<string, { -readonly [Key in keyof SlowRoute]: SlowRoute[Key] }>()
  const waiting = new Map<string, number>()
  let measured = 0
  for (const series of metrics.all()) {
    if (series.name !== slow && series.name !== buffered) continue
    const last = series.samples.at(-1)
    if (last === undefined || last.to < now - recent) continue
    const place = placeOf(series)
    if ((service !== '' && place.service !== service) || (route !== '' && place.route !== route)) continue
    measured++
    const key = `${place.service}\n${place.route}`
    if (series.name === buffered) waiting.set(key, (waiting.get(key) ?? 0) + last.value)
    else if (last.value > 0) {
      const known = slowRoutes.get(key)
      if (known === undefined) slowRoutes.set(key, { ...place, connections: last.value, buffered: null })
      else known.connections += last.value
    }
  }
  for (const [key, found] of slowRoutes) found.buffered = waiting.get(key) ?? null
  const named = new Set(highlights.slowConsumers.map((consumer) => consumer.route))
  return {
    ...highlights,
    // Where spans name the connections, their route says nothing more.
    slowRoutes: [...slowRoutes.values()]
      .filter((one) => !named.has(one.route))
      .sort((a, b) => b.connections - a.connections)
      .slice(0, 5),
    judged: { ...highlights.judged, consumers: highlights.judged.consumers + measured },
  }
}

function placeOf(series: Series) {
  return { service: series.service, route: textAttribute(series.attributes, ROUTE) }
}

/** The highlights of all that is kept. */
export function allHighlights(store: Store, now: number): Highlights {
  return withRoutes(store.highlights, store.metrics, { service: '', route: '' }, now)
}
