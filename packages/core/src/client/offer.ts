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
  if (pending.size > MAX_PENDING) {
    const [[key, oldest]] = pending as unknown as [[string, Connect]]
    pending.delete(key)
    oldest.settle('abandoned')
  }
  return parameters
}

/** What the request of a connect carries, and the offer to take context in messages. */
export function offerOf({ spanContext, telemetry }: Connect): Record<string, string> {
  const carrier = carrierOf(spanContext) as Record<string, string> | undefined
  if (carrier !== undefined && telemetry.options.propagation !== 'off') carrier[PROTOCOL_NAME] = OFFER
  return carrier ?? {}
}

/**
 * The connect that began with this URL, or begins now.
 *
 * @param key of the connect that began, where the URL does not tell it
 */
export function connectOf(telemetry: ClientTelemetry, url: string, key: string = keyOf(url)): Connect {
  const begun = pending.get(key)
  pending.delete(key)
  if (begun === undefined) return new Connect(telemetry, url)
  begun.adopt(telemetry, url)
  return begun
}

/**
 * Key of the connect to a URL that began with headers.
 *
 * @param traceparent of the request: by now it may have the context of somebody else's span, such as that of an
 * instrumentation of http
 */
export function begunWith(traceparent: string, url: string): string {
  const own = keyOf(traceparent)
  if (pending.has(own)) return own
  const target = targetOf(url, undefined)
  for (const [key, connect] of pending) if (connect.target === target) return key
  return own
}

/** True when a URL asks for context in messages. */
export function asks(url: string): boolean {
  return url.includes(`${PROTOCOL_NAME}=${OFFER}`)
}

function keyOf(text: string): string {
  return TRACEPARENT.exec(text)?.[1] ?? ''
}
