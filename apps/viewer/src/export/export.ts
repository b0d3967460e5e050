import type { LogRecord, Span } from '../model.ts'
import type { Store } from '../store/store.ts'
import { metricsOf } from './metrics.ts'
import { grouped, logOf, spanOf } from './otlp.ts'

/** What is kept, as OTLP/JSON: each member is the body of an export request of its signal. */
export interface Exported {
  readonly resourceSpans?: readonly unknown[]
  readonly resourceLogs?: readonly unknown[]
  readonly resourceMetrics?: readonly unknown[]
}

/** Records of one line of a large export: each line can be read by itself within the limits of a request. */
const mostRecords = 2000

/** One trace with its log records; undefined when it is not kept. */
export function exportTrace(store: Store, id: string): Exported | undefined {
  const trace = store.traces.get(id)
  return trace && { ...spansOf(trace.spans.values()), ...logsOf(store.logs.ofTrace(id)) }
}

/** The traces that a connection has a span in, with their log records; undefined when it is not known. */
export function exportConnection(store: Store, id: string): Exported | undefined {
  const connection = store.connections.get(id)
  if (connection === undefined) return undefined
  const traceIds = new Set([...connection.marks.keys()].map(({ traceId }) => traceId))
  const spans = [...traceIds].flatMap((traceId) => [...(store.traces.get(traceId)?.spans.values() ?? [])])
  const logs = new Set([...store.logs.ofConnection(id), ...[...traceIds].flatMap((one) => store.logs.ofTrace(one))])
  return { ...spansOf(spans), ...logsOf(logs) }
}

/** Everything that is kept, oldest first, in parts of bounded size. */
export function* exportAll(store: Store): Generator<Exported> {
  let spans: Span[] = []
  for (const trace of [...store.traces.newest()].reverse()) {
    spans.push(...trace.spans.values())
    if (spans.length < mostRecords) continue
    yield spansOf(spans)
    spans = []
  }
  if (spans.length > 0) yield spansOf(spans)
  const logs = [...store.logs.newest()].reverse()
  for (let from = 0; from < logs.length; from += mostRecords) yield logsOf(logs.slice(from, from + mostRecords))
  const series = [...store.metrics.all()]
  const mostSeries = mostRecords / 20
  for (let from = 0; from < series.length; from += mostSeries) {
    yield { resourceMetrics: metricsOf(series.slice(from, from + mostSeries)) }
  }
}

function spansOf(spans: Iterable<Span>): Exported {
  const resourceSpans = grouped(spans, spanOf).map(({ resource, scopes }) => {
    return { resource, scopeSpans: scopes.map(({ scope, list }) => ({ scope, spans: list })) }
  })
  return { resourceSpans }
}

function logsOf(logs: Iterable<LogRecord>): Exported {
  const resourceLogs = grouped(logs, logOf).map(({ resource, scopes }) => {
    return { resource, scopeLogs: scopes.map(({ scope, list }) => ({ scope, logRecords: list })) }
  })
  return { resourceLogs }
}
