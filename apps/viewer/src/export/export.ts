import type { LogRecord, Span } from '../model.ts'
import type { Store } from '../store/store.ts'
import { metricsOf } from './metrics.ts'
import { grouped, logOf, spanOf } from './otlp.ts'

/** What is kept, as OTLP/JSON: each member is the body of an export request of its signal. */
export interface Exported {
  readonly resourceSpans: readonly unknown[]
  readonly resourceLogs: readonly unknown[]
  readonly resourceMetrics?: readonly unknown[]
}

/** One trace with its log records; undefined when it is not kept. */
export function exportTrace(store: Store, id: string): Exported | undefined {
  const trace = store.traces.get(id)
  return trace === undefined ? undefined : encode(trace.spans.values(), store.logs.ofTrace(id))
}

/** The traces that a connection has a span in, with their log records; undefined when it is not known. */
export function exportConnection(store: Store, id: string): Exported | undefined {
  const connection = store.connections.get(id)
  if (connection === undefined) return undefined
  const traceIds = new Set([...connection.marks.keys()].map(({ traceId }) => traceId))
  const traces = [...traceIds].flatMap((traceId) => store.traces.get(traceId) ?? [])
  const logs = new Set([...store.logs.ofConnection(id), ...[...traceIds].flatMap((one) => store.logs.ofTrace(one))])
  return encode(
    traces.flatMap((trace) => [...trace.spans.values()]),
    logs,
  )
}

/** Everything that is kept. */
export function exportAll(store: Store): Exported {
  const spans = [...store.traces.newest()].reverse().flatMap((trace) => [...trace.spans.values()])
  const logs = [...store.logs.newest()].reverse()
  return { ...encode(spans, logs), resourceMetrics: metricsOf(store.metrics.all()) }
}

function encode(spans: Iterable<Span>, logs: Iterable<LogRecord>): Exported {
  return {
    resourceSpans: grouped(spans, spanOf).map(({ resource, scopes }) => {
      return { resource, scopeSpans: scopes.map(({ scope, list }) => ({ scope, spans: list })) }
    }),
    resourceLogs: grouped(logs, logOf).map(({ resource, scopes }) => {
      return { resource, scopeLogs: scopes.map(({ scope, list }) => ({ scope, logRecords: list })) }
    }),
  }
}
