import { type Level, levels } from '../model.ts'
import { type ConnectionSort, connectionSorts, connectionStates } from './connection-list.ts'
import { always, type TimeRange } from './time-range.ts'
import type { TraceSort } from './trace-list.ts'

export const liveViews = ['traces', 'connections', 'sessions', 'logs', 'metrics'] as const

/** What one page wants to see, as its URL says. */
export interface LiveQuery {
  readonly view: (typeof liveViews)[number]
  /** What everything is searched by: lists and highlights. */
  readonly text: string
  /** What the list alone is searched by beside that, as a highlight that was followed says. */
  readonly pick: string
  readonly service: string
  readonly node: string
  readonly route: string
  readonly connection: string
  readonly errors: boolean
  readonly minDuration: number
  readonly traceSort: TraceSort
  readonly connectionSort: ConnectionSort
  readonly state: (typeof connectionStates)[number]
  readonly level: Level | ''
  readonly message: string
  readonly instrument: string
  /** Milliseconds that end now; 0 for all. A range with bounds goes before it. */
  readonly last: number
  readonly range: TimeRange
  /** Where a list of what is newest goes on: what began before it, epoch milliseconds. */
  readonly before: number
  /** Where any other list goes on: how many rows are left out. */
  readonly skip: number
  readonly limit: number
  /** Attribute by which connections make a session. */
  readonly by: string
  /** Id of the trace, connection or session whose detail is open; empty for none. */
  readonly open: string
  /** Key of the span that is selected in the open trace. */
  readonly span: string
  /** What is looked for within the open trace. */
  readonly find: string
  /** Id of the trace that the open one is compared with; `-` for one that is chosen here, empty for none. */
  readonly against: string
}

const longest = 512
/** Rows that one list has at most. */
const mostRows = 500

/** Reads the query of a request. What is missing or out of range takes its default: a page is never answered with 400. */
export function readLiveQuery(search: URLSearchParams): LiveQuery {
  const text = (name: string) => (search.get(name) ?? '').slice(0, longest)
  const within = (name: string, least: number, most: number, otherwise: number) => {
    const given = search.get(name) ?? ''
    const value = given === '' ? Number.NaN : Number(given)
    return Number.isFinite(value) ? Math.min(most, Math.max(least, value)) : otherwise
  }
  const sort = text('sort')
  return {
    view: oneOf(text('view'), liveViews, 'traces'),
    text: text('q'),
    pick: text('pick'),
    service: text('service'),
    node: text('node'),
    route: text('route'),
    connection: text('connection'),
    errors: search.get('errors') === '1',
    minDuration: within('min', 0, 1e9, 0),
    traceSort: oneOf(sort, ['newest', 'slowest', 'errors', 'spans'], 'newest'),
    connectionSort: oneOf(sort, connectionSorts, 'newest'),
    state: oneOf(text('state'), connectionStates, ''),
    level: oneOf(text('level'), ['', ...levels], ''),
    message: text('message'),
    instrument: text('instrument'),
    last: within('last', 0, 30 * 86_400, 0) * 1000,
    range: { from: within('from', 0, 1e14, always.from), to: within('to', 0, 1e14, always.to) },
    before: within('before', 0, 1e14, Number.POSITIVE_INFINITY),
    skip: Math.trunc(within('skip', 0, 1e7, 0)),
    limit: Math.trunc(within('limit', 1, mostRows, 100)),
    by: text('by') || 'user.id',
    open: text('open'),
    span: text('span'),
    find: text('find'),
    against: text('against'),
  }
}

/** The query as its list reads it, searched by all that it asks for. */
export function ofList(query: LiveQuery): LiveQuery {
  const { text, pick } = query
  if (pick === '') return query
  // A quote that is still open must not reach over to what follows.
  const closed = text.split('"').length % 2 === 0 ? `${text}"` : text
  return { ...query, text: `${closed} ${pick}` }
}

/** The query as the highlights read it: without what only the list is filtered by. */
export function ofHighlights(query: LiveQuery): LiveQuery {
  return { ...query, connection: '', errors: false, minDuration: 0 }
}

/** The part of time that a query asks for, as of now. */
export function rangeOf({ last, range }: LiveQuery, now: number): TimeRange {
  const bounded = range.from !== always.from || range.to !== always.to
  return bounded || last === 0 ? range : { from: now - last, to: always.to }
}

function oneOf<T extends string>(value: string, known: readonly T[], otherwise: T): T {
  return known.find((one) => one === value) ?? otherwise
}
