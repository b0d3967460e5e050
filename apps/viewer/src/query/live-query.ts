import type { ConnectionFilter, ConnectionSort } from './connection-list.ts'

/** What one page wants to see, as its URL says. */
export interface LiveQuery {
  readonly view: 'traces' | 'connections' | 'metrics'
  readonly text: string
  readonly service: string
  readonly node: string
  readonly route: string
  readonly connection: string
  readonly errors: boolean
  readonly minDuration: number
  readonly traceSort: 'newest' | 'slowest'
  readonly connectionSort: ConnectionSort
  readonly state: ConnectionFilter['state']
  readonly message: string
  readonly instrument: string
  readonly windowMs: number
  readonly limit: number
  /** Id of the trace or connection whose detail is open; empty for none. */
  readonly open: string
}

const longest = 512

/** Reads the query of a request. What is missing or out of range takes its default: a page is never answered with 400. */
export function readLiveQuery(search: URLSearchParams): LiveQuery {
  const text = (name: string) => (search.get(name) ?? '').slice(0, longest)
  const within = (name: string, least: number, most: number, otherwise: number) => {
    const value = Number(search.get(name) ?? Number.NaN)
    return Number.isFinite(value) ? Math.min(most, Math.max(least, value)) : otherwise
  }
  const sort = text('sort')
  return {
    view: oneOf(text('view'), ['traces', 'connections', 'metrics'], 'traces'),
    text: text('q'),
    service: text('service'),
    node: text('node'),
    route: text('route'),
    connection: text('connection'),
    errors: search.get('errors') === '1',
    minDuration: within('min', 0, 1e9, 0),
    traceSort: oneOf(sort, ['newest', 'slowest'], 'newest'),
    connectionSort: oneOf(sort, ['newest', 'messages', 'bytes', 'errors'], 'newest'),
    state: oneOf(text('state'), ['', 'open', 'closed', 'dropped', 'rejected', 'errors'], ''),
    message: text('message'),
    instrument: text('instrument'),
    windowMs: within('window', 10, 86_400, 300) * 1000,
    limit: Math.trunc(within('limit', 1, 500, 100)),
    open: text('open'),
  }
}

function oneOf<T extends string>(value: string, known: readonly T[], otherwise: T): T {
  return known.find((one) => one === value) ?? otherwise
}
