import { carrierOf } from '../propagation/carrier.ts'
import { OFFER, PROTOCOL_NAME } from '../propagation/negotiation.ts'
import { Connect, targetOf } from './connect.ts'
import type { ClientTelemetry } from './telemetry.ts'

/** Connects that have begun and whose socket is yet to be traced; when there are more, the oldest is given up. */
const MAX_PENDING = 16
const pending = new Map<string, Connect>()

const TRACEPARENT = /(?:[?&]traceparent=|^)00-([0-9a-f]{32}-[0-9a-f]{16})-/

/**
 * Begins a connect before its socket is made, so that the request can carry its context: as headers of the request, or as
 * parameters of its query. Empty while nothing is traced. With it goes the offer to take context in messages.
 */
export function offer(telemetry: ClientTelemetry, url: string): Record<string, string> {
  if (!telemetry.options.enabled || telemetry.tracer === undefined) return {}
  const connect = new Connect(telemetry, url)
  const parameters = offerOf(connect)
  const { traceparent } = parameters
  if (traceparent !== undefined) pending.set(keyOf(traceparent), connect)
  for (const [key, oldest] of pending) {
    if (pending.size <= MAX_PENDING) break
    pending.delete(key)
    const abandoned = oldest.settle('abandoned')
    abandoned?.span.end(abandoned.endTime)
  }
  return parameters
}

/** What the request of a connect carries, and the offer to take context in messages. */
export function offerOf({ spanContext, telemetry }: Connect): Record<string, string> {
  const carrier = carrierOf(spanContext)
  if (carrier === undefined) return {}
  const { traceparent = '', tracestate } = carrier
  return {
    traceparent,
    ...(tracestate !== undefined && { tracestate }),
    ...(telemetry.options.propagation !== 'off' && { [PROTOCOL_NAME]: OFFER }),
  }
}

/** The connect that began with these headers or this URL, or begins now. */
export function connectOf(telemetry: ClientTelemetry, url: string, traceparent?: string): Connect {
  const key = keyOf(traceparent ?? url)
  const found = pending.has(key) || traceparent === undefined ? key : begunTo(url)
  const begun = pending.get(found)
  pending.delete(found)
  if (begun === undefined) return new Connect(telemetry, url)
  begun.adopt(telemetry, url)
  return begun
}

/** Of requests whose header has the context of somebody else's span by now, such as that of an instrumentation of http. */
function begunTo(url: string): string {
  const target = targetOf(url, undefined)
  for (const [key, connect] of pending) if (connect.target === target) return key
  return ''
}

/** True when a URL asks for context in messages. */
export function asks(url: string): boolean {
  return url.includes(`${PROTOCOL_NAME}=${OFFER}`)
}

function keyOf(text: string): string {
  return TRACEPARENT.exec(text)?.[1] ?? ''
}
