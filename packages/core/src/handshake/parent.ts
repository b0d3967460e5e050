import {
  type Context,
  type Link,
  propagation,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  type TextMapGetter,
  trace,
} from '@opentelemetry/api'
import { extract } from '../api/propagation.ts'
import { idsOf } from '../api/span.ts'
import { spanOf, withoutSpan, withSpan } from '../context/span-scope.ts'
import type { RemoteContext } from '../propagation/remote-context.ts'
import { ATTR_WEBSOCKET_LINK_KIND } from '../schema.ts'
import { type AnyUpgradeRequest, header, queryWith } from './request.ts'

/** The context that the span of a handshake is started in, and its links. */
export interface HandshakeParent {
  readonly context: Context
  readonly links: Link[]
}

const PROPAGATION_KEYS = ['traceparent', 'tracestate', 'baggage']

const requestGetter: TextMapGetter<AnyUpgradeRequest> = {
  keys: () => PROPAGATION_KEYS,
  get: (request, key) => header(request, key.toLowerCase()),
}

/**
 * The parent of a handshake span: the active span, else the context that the peer sent in the headers, or in the query
 * (browsers cannot set headers).
 *
 * @param trust use of the peer's context
 * @param takesBaggage the peer's baggage is accepted too
 */
export function handshakeParent(
  request: AnyUpgradeRequest,
  active: Context,
  trust: RemoteContext | undefined,
  takesBaggage: boolean,
): HandshakeParent {
  const remote = trust === 'parent' || trust === 'link' ? remoteSpanContext(request) : undefined
  if (remote === undefined) return { context: active, links: [] }
  const current = spanOf(active)
  // An active span of this process has used the headers already.
  if (current !== undefined && isValid(current)) return { context: active, links: [] }
  if (trust === 'link') {
    return { context: active, links: [{ context: remote, attributes: { [ATTR_WEBSOCKET_LINK_KIND]: 'message' } }] }
  }
  const extracted = extractFrom(active, request)
  const base = takesBaggage ? extracted : withBaggageOf(extracted, active)
  return { context: withSpan(base, trace.wrapSpanContext(remote)), links: [] }
}

/** The parent of a request that opens a namespace: the handshake of its transport, which may have ended. */
export function transportParent(active: Context, transport: SpanContext): HandshakeParent {
  return { context: withSpan(withoutSpan(active), trace.wrapSpanContext(transport)), links: [] }
}

function remoteSpanContext(request: AnyUpgradeRequest): SpanContext | undefined {
  const spanContext = idsOf(spanOf(extractFrom(ROOT_CONTEXT, request)))
  return spanContext !== undefined && trace.isSpanContextValid(spanContext) ? spanContext : undefined
}

function extractFrom(base: Context, request: AnyUpgradeRequest): Context {
  const fromHeaders = extract(base, request, requestGetter)
  if (spanOf(fromHeaders) !== undefined && spanOf(fromHeaders) !== spanOf(base)) return fromHeaders
  const query = queryWith(request, 'traceparent')
  return query === undefined ? fromHeaders : extract(fromHeaders, carrierFromQuery(query))
}

function isValid(span: Span): boolean {
  const ids = idsOf(span)
  return ids !== undefined && trace.isSpanContextValid(ids)
}

function carrierFromQuery(query: URLSearchParams): Record<string, string> {
  const carrier: Record<string, string> = {}
  for (const key of PROPAGATION_KEYS) {
    const value = query.get(key)
    if (value !== null) carrier[key] = value
  }
  return carrier
}

function withBaggageOf(base: Context, model: Context): Context {
  const baggage = propagation.getBaggage(model)
  return baggage === undefined ? propagation.deleteBaggage(base) : propagation.setBaggage(base, baggage)
}
