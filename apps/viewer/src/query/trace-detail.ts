import { type Span, textAttribute } from '../model.ts'
import * as names from '../names.ts'
import { isOfClient, operationOf } from '../store/operation.ts'
import { approximateBytes } from '../store/size.ts'
import type { Trace, TraceStore } from '../store/traces.ts'
import type { SpanDetail, SpanRef, TraceDetail } from '../wire.ts'
import { noteOf } from './note.ts'

/** Spans of one trace that are shown. */
const most = 1000
/** Bytes of them: an update must not take the page longer to read than the time to the next. */
const mostBytes = 4 * 1024 * 1024
/** Incoming links of one span that are shown: a handshake may have one for every message. */
const mostLinks = 50

/** The trace as a waterfall, with its links followed both ways; null when it is not kept. */
export function traceDetail(traces: TraceStore, id: string): TraceDetail | null {
  const trace = traces.get(id)
  if (trace === undefined) return null
  const spans: SpanDetail[] = []
  const depths: number[] = []
  let bytes = 0
  for (const [span, depth] of depthFirst(trace)) {
    bytes += approximateBytes(span)
    if (spans.length === most || (bytes > mostBytes && spans.length > 0)) break
    spans.push(detail(traces, span))
    depths.push(depth)
  }
  return { id, spans, depths, omitted: trace.spans.size - spans.length + trace.overflow }
}

/** Parents before children, siblings by start. Iterative, and each span once: parent ids may form a chain or a ring. */
function* depthFirst(trace: Trace): Generator<[span: Span, depth: number]> {
  const children = new Map<string, Span[]>()
  const roots: Span[] = []
  const byStart = [...trace.spans.values()].sort((a, b) => a.start - b.start)
  for (const span of byStart) {
    const parent = span.parentSpanId
    if (parent === span.spanId || !trace.spans.has(parent)) roots.push(span)
    else if (children.has(parent)) children.get(parent)!.push(span)
    else children.set(parent, [span])
  }
  const seen = new Set<Span>()
  // Spans in a ring hang from no root: whatever is left over starts a tree of its own.
  for (const start of [...roots, ...byStart]) {
    const stack: [Span, number][] = [[start, 0]]
    while (stack.length > 0) {
      const [span, depth] = stack.pop()!
      if (seen.has(span)) continue
      seen.add(span)
      yield [span, depth]
      const below = children.get(span.spanId) ?? []
      for (let index = below.length - 1; index >= 0; index--) stack.push([below[index]!, depth + 1])
    }
  }
}

function detail(traces: TraceStore, span: Span): SpanDetail {
  const incoming = traces.linksTo(span.traceId, span.spanId)
  const operation = operationOf(span)
  return {
    spanId: span.spanId,
    parentSpanId: span.parentSpanId,
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
      return reference(link.traceId, link.spanId, target, textAttribute(link.attributes, names.LINK_KIND))
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
