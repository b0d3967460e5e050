import { numberAttribute, type Span, textAttribute } from '../model.ts'
import * as names from '../names.ts'
import { parseSearch } from '../search/parse.ts'
import { spanHas } from '../search/records.ts'
import { isOfClient, operationOf } from '../store/operation.ts'
import { approximateBytes } from '../store/size.ts'
import type { Trace, TraceStore } from '../store/traces.ts'
import type { BroadcastRow, SpanDetail, SpanRef, TraceDetail } from '../wire.ts'
import type { LogsOf } from './filter.ts'
import { logRow } from './log-list.ts'
import { noteOf } from './note.ts'
import { doubtsOf } from './trace-doubts.ts'
import { choose, type Node, treeOf } from './trace-tree.ts'

/** Spans of one trace that are drawn. */
const most = 1000
/** Bytes of them: an update must not take the page longer to read than the time to the next. */
const mostBytes = 2 * 1024 * 1024
/** Incoming links of one span that are shown: a handshake may have one for every message. */
const mostLinks = 50
/** Log records of one trace that are shown. */
const mostLogs = 500
/** Nodes of a broadcast that are listed. */
const mostNodes = 200

export interface DetailOptions {
  /** Key of the span that is selected: it is among those that are drawn. Default none. */
  readonly asked?: string
  /** What is looked for within the trace, in the language of `parseSearch`. Default nothing. */
  readonly find?: string
  readonly logsOf?: LogsOf
}

/** The trace as a waterfall, with its links followed both ways; null when it is not kept. */
export function traceDetail(
  traces: TraceStore,
  id: string,
  { asked = '', find = '', logsOf = () => [] }: DetailOptions = {},
): TraceDetail | null {
  const trace = traces.get(id)
  if (trace === undefined) return null
  const { terms, problems } = parseSearch(find)
  const sought =
    terms.length === 0 ? undefined : (span: Span) => terms.every((term) => spanHas(span, term) !== term.negated)
  const nodes = treeOf(trace)
  const chosen = choose(nodes, { most, mostBytes, bytesOf: approximateBytes, asked, sought })
  const logs = logsOf(id)
  return {
    id,
    start: trace.start,
    duration: trace.end - trace.start,
    total: trace.spans.size + trace.overflow,
    failed: trace.errors,
    spans: chosen.map((node) => detail(traces, node)),
    depths: chosen.map(({ depth }) => depth),
    omitted: trace.spans.size - chosen.length + trace.overflow,
    found: sought === undefined ? null : found(nodes, chosen, sought),
    findProblems: problems,
    doubts: doubtsOf(trace),
    broadcast: broadcastRows(trace),
    logs: logs.slice(-mostLogs).map(logRow),
    logCount: logs.length,
  }
}

function found(nodes: readonly Node[], chosen: readonly Node[], sought: (span: Span) => boolean) {
  return {
    count: nodes.filter(({ span }) => sought(span)).length,
    keys: chosen.filter(({ span }) => sought(span)).map(({ key }) => key),
  }
}

/** What a broadcast came to on each node, the latest first; empty for traces without one that crosses nodes. */
function broadcastRows(trace: Trace): BroadcastRow[] {
  const rows: BroadcastRow[] = []
  let delivered = false
  for (const [key, span] of trace.spans) {
    const operation = operationOf(span)
    if (operation !== 'broadcast' && operation !== 'deliver') continue
    delivered ||= operation === 'deliver'
    const { attributes, resource } = span
    const sent = operation === 'deliver' ? trace.spans.get(span.parentSpanId) : undefined
    const lag = numberAttribute(attributes, names.DELIVER_LAG)
    rows.push({
      key,
      operation,
      name: span.name,
      service: resource.service,
      instance: resource.instance,
      // Where the span does not carry its lag, the start of what it follows does.
      lag: lag !== undefined ? lag * 1000 : sent === undefined ? null : Math.max(0, span.start - sent.start),
      recipients: numberAttribute(attributes, names.BROADCAST_RECIPIENTS) ?? null,
      skipped: numberAttribute(attributes, names.BROADCAST_SKIPPED) ?? 0,
      duration: span.duration,
      error: span.error,
    })
  }
  return delivered ? rows.sort((a, b) => (b.lag ?? -1) - (a.lag ?? -1)).slice(0, mostNodes) : []
}

function detail(traces: TraceStore, { key, span, parent }: Node): SpanDetail {
  const incoming = traces.linksTo(span.traceId, span.spanId)
  const operation = operationOf(span)
  return {
    key,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId,
    parent,
    name: span.name,
    kind: span.kind,
    operation,
    note: noteOf(span, operation),
    start: span.start,
    duration: span.duration,
    error: span.error,
    statusMessage: span.statusMessage,
    service: span.resource.service,
    instance: span.resource.instance,
    ofClient: isOfClient(span),
    scope: span.scope,
    attributes: span.attributes,
    resource: span.resource.attributes,
    events: span.events,
    links: span.links.map((link) => {
      const target = traces.get(link.traceId)?.spans.get(link.spanId)
      return {
        ...reference(link.traceId, link.spanId, target, textAttribute(link.attributes, names.LINK_KIND)),
        attributes: link.attributes,
      }
    }),
    linkedFrom: incoming === undefined ? [] : newest(incoming, span),
    linkedFromCount: incoming?.size ?? 0,
    dropped: span.dropped,
  }
}

function newest(incoming: ReadonlySet<Span>, target: Span): SpanRef[] {
  const sources = [...incoming].slice(-mostLinks).reverse()
  return sources.map((source) => {
    const link = source.links.find((one) => one.traceId === target.traceId && one.spanId === target.spanId)
    return reference(source.traceId, source.spanId, source, textAttribute(link?.attributes ?? [], names.LINK_KIND))
  })
}

function reference(traceId: string, spanId: string, span: Span | undefined, linkKind: string): SpanRef {
  return {
    traceId,
    spanId,
    name: span?.name ?? '',
    service: span?.resource.service ?? '',
    kept: span !== undefined,
    linkKind,
  }
}
