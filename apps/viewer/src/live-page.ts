import { metricsBoard } from './query/board.ts'
import { compareTraces } from './query/compare.ts'
import { connectionDetail } from './query/connection-detail.ts'
import { type FactsOf, listConnections } from './query/connection-list.ts'
import { TraceTest } from './query/filter.ts'
import { allHighlights, countTraces } from './query/highlights.ts'
import { type LiveQuery, ofHighlights, ofList, rangeOf } from './query/live-query.ts'
import { listLogs } from './query/log-list.ts'
import { routeFacts } from './query/route-facts.ts'
import { listSessions, sessionDetail } from './query/session-list.ts'
import { isAlways, type TimeRange } from './query/time-range.ts'
import { traceDetail } from './query/trace-detail.ts'
import { listTraces } from './query/trace-list.ts'
import type { Store } from './store/store.ts'
import type { ConnectionDetail, Highlights, Status, Update } from './wire.ts'

/** What the server says of itself, beside what is in the store. */
export type ServerFacts = Pick<Status, 'endpoint' | 'grpcEndpoint' | 'grpcProblem' | 'storeFile' | 'version'>

/** Milliseconds of searching in one update: what is not found until then is found in the next one. */
const patience = 25
/** How often what is drawn anew for every update may be, at most, in milliseconds. */
const highlightsEvery = 2000
const chartsEvery = 1000
/** A page whose time range ends now moves on even when nothing comes in. */
const movesEvery = 5000
/** A trace whose detail is larger than this, in characters of JSON, is drawn less often. */
const largeTrace = 256 * 1024
const largeTraceEvery = 2000

/** What one page shows, as updates: each with the parts that have changed since the last. */
export class LivePage {
  readonly #store: Store
  readonly #query: LiveQuery
  readonly #scopeQuery: LiveQuery
  readonly #facts: () => ServerFacts
  /** Which traces the highlights are about, and which of them are listed. */
  readonly #scope: TraceTest
  readonly #listed: TraceTest
  readonly #sent = new Map<string, string>()
  #version = -1
  #drawn = 0
  #nextMark = 0
  #highlights: { readonly at: number; readonly read: Highlights } | undefined
  #traceAt = 0
  #unfinished = false

  constructor(store: Store, query: LiveQuery, facts: () => ServerFacts) {
    this.#store = store
    this.#query = ofList(query)
    this.#facts = facts
    const logsOf = (traceId: string) => store.logs.ofTrace(traceId)
    this.#scopeQuery = ofHighlights(query)
    this.#scope = new TraceTest(this.#scopeQuery, logsOf)
    this.#listed = new TraceTest(this.#query, logsOf)
  }

  /** Whether the search of the last update was not through. */
  get unfinished(): boolean {
    return this.#unfinished
  }

  /** The next update in JSON; undefined when nothing has changed. */
  update(now: number): string | undefined {
    const { view } = this.#query
    const due = view === 'metrics' && now - this.#drawn >= chartsEvery
    const known = this.#version === this.#store.version && !this.#unfinished
    if (known && !due && now - this.#drawn < movesEvery) return undefined
    this.#version = this.#store.version
    this.#drawn = now
    this.#unfinished = false
    const range = rangeOf(this.#query, now)
    this.#scope.range = range
    this.#listed.range = range
    const parts = [`"now":${now}`]
    for (const [name, value] of this.#parts(range, now)) {
      const json = JSON.stringify(value) ?? 'null'
      if (this.#sent.get(name) === json) continue
      this.#sent.set(name, json)
      parts.push(`"${name}":${json}`)
    }
    return `{${parts.join(',')}}`
  }

  *#parts(range: TimeRange, now: number): Generator<[keyof Update, unknown]> {
    const query = this.#query
    const { metrics, logs, connections } = this.#store
    yield ['status', { ...this.#store.counts(), ...this.#facts() }]
    const enough = timeLimit(patience)
    if (query.view === 'traces') {
      yield* this.#traces(range, now, enough)
      return
    }
    yield ['highlights', this.#highlightsNow(range, now, enough)]
    if (query.view === 'connections') {
      const facts = routeFacts(metrics, now)
      const filter = { ...query, range }
      const { before, skip } = query
      yield [
        'connections',
        listConnections(connections, filter, query.connectionSort, query.limit, facts, { now, before, skip }),
      ]
      if (query.open !== '') yield ['connection', this.#connection(facts)]
    } else if (query.view === 'sessions') {
      yield [
        'sessions',
        listSessions(connections, { ...query, range }, query.by, query.limit, { now, skip: query.skip }),
      ]
      if (query.open !== '') yield ['session', sessionDetail(connections, query.by, query.open, now)]
    } else if (query.view === 'logs') {
      yield ['logs', listLogs(logs, { ...query, range }, query.limit, query.before)]
    } else yield ['metrics', metricsBoard(metrics, { ...query, range: isAlways(range) ? undefined : range }, now)]
  }

  *#traces(range: TimeRange, now: number, enough: () => boolean): Generator<[keyof Update, unknown]> {
    const query = this.#query
    const { traces, logs } = this.#store
    const { before, skip } = query
    const list = listTraces(traces, query, query.traceSort, query.limit, { before, skip, test: this.#listed, enough })
    this.#unfinished = list.searched < list.total
    yield ['highlights', this.#highlightsNow(range, now, enough)]
    yield ['traces', list]
    if (query.open === '') return
    const large = (this.#sent.get('trace')?.length ?? 0) > largeTrace
    if (!large || now - this.#traceAt >= largeTraceEvery) {
      this.#traceAt = now
      const logsOf = (traceId: string) => logs.ofTrace(traceId)
      yield ['trace', traceDetail(traces, query.open, { asked: query.span, find: query.find, logsOf })]
    }
    if (query.against !== '') yield ['comparison', compareTraces(traces, query.open, query.against) ?? null]
  }

  #highlightsNow(range: TimeRange, now: number, enough: () => boolean): Highlights {
    if (this.#scope.open) return allHighlights(this.#store, now)
    if (this.#highlights === undefined || now - this.#highlights.at >= highlightsEvery) {
      const { scoped, complete } = countTraces(this.#store, this.#scope, enough)
      this.#unfinished ||= !complete
      // Counted from a part of what matches they are shown, and counted anew as soon as the search is through.
      const at = complete ? now : Number.NEGATIVE_INFINITY
      this.#highlights = { at, read: scoped.read(this.#store, this.#scopeQuery, range, now) }
    }
    return this.#highlights.read
  }

  #connection(facts: FactsOf): ConnectionDetail | null {
    const { connections, traces, logs } = this.#store
    const detail = connectionDetail(connections, traces, this.#query.open, this.#nextMark, facts, logs)
    if (detail === null) this.#nextMark = 0
    else this.#nextMark = Math.max(this.#nextMark, (detail.marks.at(-1)?.number ?? -1) + 1)
    return detail
  }
}

/** Whether the time is over, counted from now. */
function timeLimit(milliseconds: number): () => boolean {
  const end = performance.now() + milliseconds
  return () => performance.now() > end
}
