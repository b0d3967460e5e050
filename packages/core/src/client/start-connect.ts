import { renameSpan, setAttribute } from '../api/span.ts'
import { authorityOf } from '../options/authority.ts'
import { carrierFromSpanContext } from '../propagation/carrier.ts'
import { INCOMPLETE_OFFER, type OfferedIn, PROTOCOL_NAME, queryOffer } from '../propagation/negotiation.ts'
import { ATTR_WEBSOCKET_ROUTE } from '../schema.ts'
import { Connect, targetOf } from './connect.ts'
import { MessageContext } from './message-context.ts'
import { type ClientPropagation, connectPropagation } from './propagation.ts'
import type { ClientTelemetry } from './telemetry.ts'

/** Connects that have begun and whose socket is yet to be traced; when there are more, the oldest is given up. */
const MAX_PENDING = 16
const pending = new Set<Connect>()

/**
 * Begins a connect before its socket is made, so that the request can carry its context: as headers of the request, or as
 * parameters of its query. Empty while nothing is traced. With it goes the offer to take context in messages; in headers
 * it is incomplete, until the request has its key.
 */
export function startConnect(telemetry: ClientTelemetry, url: string, by: OfferedIn): Record<string, string> {
  if (telemetry.options.enabled === false || telemetry.tracer === undefined) return {}
  connectPropagation(clientPropagation)
  const connect = new Connect(telemetry, url)
  const parameters = connectParams(connect, by === 'query' ? url : undefined)
  if (parameters['traceparent'] !== undefined) pending.add(connect)
  if (pending.size > MAX_PENDING) {
    const [oldest] = pending
    oldest?.settle('abandoned')
    pending.delete(oldest as Connect)
  }
  return parameters
}

/**
 * The parameters of a connect's request: its trace context, and the offer of context in messages.
 *
 * @param url what the client dials, for parameters in its query
 */
export function connectParams({ spanContext, telemetry }: Connect, url?: string): Record<string, string> {
  const carrier = carrierFromSpanContext(spanContext) as Record<string, string> | undefined
  if (carrier === undefined || telemetry.options.propagation === 'off') return carrier ?? {}
  const authority = url && authorityOf(url)
  if (authority) carrier[PROTOCOL_NAME] = queryOffer(authority)
  else if (url === undefined) carrier[PROTOCOL_NAME] = INCOMPLETE_OFFER
  return carrier
}

/** For {@link connectPropagation}. */
export const clientPropagation: ClientPropagation = {
  pendingConnect(telemetry, url, announced = url) {
    for (const connect of pending) {
      const { traceId, spanId } = connect.spanContext ?? {}
      if (announced.includes(`${traceId}-${spanId}`)) return adoptPending(connect, telemetry, url)
    }
    return undefined
  },
  messageContext: (connection, url) => new MessageContext(connection, url),
}

/** The connect to this URL that began, where an instrumentation of http has put the context of its own span into the request. */
export function pendingConnectTo(telemetry: ClientTelemetry, url: string): Connect | undefined {
  const target = targetOf(url, undefined)
  for (const connect of pending) if (connect.target === target) return adoptPending(connect, telemetry, url)
  return undefined
}

/** The socket of a connect is there, and is traced with other options perhaps. */
function adoptPending(connect: Connect, telemetry: ClientTelemetry, url: string): Connect {
  pending.delete(connect)
  connect.telemetry = telemetry
  const route = telemetry.routeOf(url)
  if (route !== undefined && route !== connect.route) {
    connect.route = route
    if (connect.span !== undefined) renameSpan(connect.span, `connect ${route}`)
    setAttribute(connect.span, ATTR_WEBSOCKET_ROUTE, route)
  }
  return connect
}
