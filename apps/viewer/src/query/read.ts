import type { ServerFacts } from '../live-page.ts'
import type { Store } from '../store/store.ts'
import { metricsBoard } from './board.ts'
import { compareTraces } from './compare.ts'
import { connectionDetail } from './connection-detail.ts'
import { listConnections } from './connection-list.ts'
import { TraceTest } from './filter.ts'
import { allHighlights, countTraces } from './highlights.ts'
import { type LiveQuery, ofHighlights, ofList, rangeOf, readLiveQuery } from './live-query.ts'
import { listLogs } from './log-list.ts'
import { routeFacts } from './route-facts.ts'
import { listSessions, sessionDetail } from './session-list.ts'
import { isAlways } from './time-range.ts'
import { traceDetail } from './trace-detail.ts'
import { listTraces } from './trace-list.ts'

/**
 * Answers one request of the read API: what the page shows, once. `name` is the path below `/api/`, a list or `list/id`.
 * Undefined when there is no such thing, or it is not kept.
 */
export function answerRead(
  store: Store,
  facts: ServerFacts,
  name: string,
  search: URLSearchParams,
  now: number,
): unknown {
  const [list = '', id = '', more] = name.split('/').map(decoded)
  if (more !== undefined) return undefined
  const query = ofList(readLiveQuery(search))
  return id === '' ? listed(store, facts, list, query, now) : detail(store, list, id, query, now)
}

function listed(store: Store, facts: ServerFacts, list: string, query: LiveQuery, now: number): unknown {
  const range = rangeOf(query, now)
  const logsOf = (traceId: string) => store.logs.ofTrace(traceId)
  const { before, skip, limit } = query
  switch (list) {
    case 'status':
      return { ...store.counts(), ...facts }
    case 'highlights': {
      const test = new TraceTest({ ...ofHighlights(query), range }, logsOf)
      return test.open
        ? allHighlights(store, now)
        : countTraces(store, test, () => false).scoped.read(store, query, range, now)
    }
    case 'traces': {
      const test = new TraceTest({ ...query, range }, logsOf)
      return listTraces(store.traces, query, query.traceSort, limit, { before, skip, test })
    }
    case 'connections': {
      const facts = routeFacts(store.metrics, now)
      const filter = { ...query, range }
      return listConnections(store.connections, filter, query.connectionSort, limit, facts, { now, before, skip })
    }
    case 'sessions':
      return listSessions(store.connections, { ...query, range }, query.by, limit, { now, skip })
    case 'logs':
      return listLogs(store.logs, { ...query, range }, limit, before)
    case 'metrics':
      return metricsBoard(store.metrics, { ...query, range: isAlways(range) ? undefined : range }, now)
    default:
      return undefined
  }
}

function detail(store: Store, list: string, id: string, query: LiveQuery, now: number): unknown {
  const { traces, connections, logs, metrics } = store
  switch (list) {
    case 'traces': {
      const logsOf = (traceId: string) => logs.ofTrace(traceId)
      if (query.against !== '') return compareTraces(traces, id, query.against) ?? undefined
      return traceDetail(traces, id, { asked: query.span, find: query.find, logsOf }) ?? undefined
    }
    case 'connections':
      return connectionDetail(connections, traces, id, 0, routeFacts(metrics, now), logs) ?? undefined
    case 'sessions':
      return sessionDetail(connections, query.by, id, now) ?? undefined
    default:
      return undefined
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
