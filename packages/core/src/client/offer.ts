import { carrierOf } from '../propagation/carrier.ts'
import { OFFER, PROTOCOL_NAME } from '../propagation/negotiation.ts'
import { Connect } from './connect.ts'
import { messageContext } from './message-context.ts'
import { useMessageContext } from './message-context-use.ts'
import { postpone } from './pending.ts'
import type { ClientTelemetry } from './telemetry.ts'

/**
 * Begins a connect before its socket is made, so that the request can carry its context: as headers of the request, or as
 * parameters of its query. Empty while nothing is traced. With it goes the offer to take context in messages.
 */
export function offer(telemetry: ClientTelemetry, url: string): Record<string, string> {
  if (!telemetry.options.enabled || telemetry.tracer === undefined) return {}
  useMessageContext(messageContext)
  const connect = new Connect(telemetry, url)
  const parameters = offerOf(connect)
  if (parameters['traceparent'] !== undefined) postpone(connect)
  return parameters
}

/** What the request of a connect carries, and the offer to take context in messages. */
export function offerOf({ spanContext, telemetry }: Connect): Record<string, string> {
  const carrier = carrierOf(spanContext) as Record<string, string> | undefined
  if (carrier !== undefined && telemetry.options.propagation !== 'off') carrier[PROTOCOL_NAME] = OFFER
  return carrier ?? {}
}

/** True when a URL asks for context in messages. */
export function asks(url: string): boolean {
  return url.includes(`${PROTOCOL_NAME}=${OFFER}`)
}
