import { type Context, type Span, SpanKind, type SpanOptions } from '@opentelemetry/api'
import { isRecording, setAttribute, startSpan } from '../api/span.ts'
import type { Series } from '../metrics/series.ts'
import { ATTR_WEBSOCKET_BROADCAST_RECIPIENTS, ATTR_WEBSOCKET_BROADCAST_SKIPPED } from '../schema.ts'
import type { Services } from '../services/services.ts'
import type { MessageName } from '../span/names.ts'

/** Fan-outs share what one connection has. */
const ANY_CONNECTION = 0

/**
 * Starts the span of one payload that goes to many connections of this node.
 *
 * @param startTime default: now
 */
export function startBroadcastSpan(
  services: Services,
  series: Series,
  message: MessageName,
  parent: Context,
  startTime?: SpanOptions['startTime'],
): Span | undefined {
  // Many spans have it as their parent: in a service graph, only one of them would find it.
  const kind = services.options.spanKinds === 'messaging' ? SpanKind.PRODUCER : SpanKind.INTERNAL
  const options: SpanOptions = { kind, attributes: series.attributes }
  if (startTime !== undefined) options.startTime = startTime
  return startSpan(services.tracer, message.broadcast, options, parent)
}

/** As {@link startBroadcastSpan}, for a broadcast outside of any trace; `undefined` if the budget of the process is used up. */
export function startRootBroadcast(
  services: Services,
  series: Series,
  message: MessageName,
  base: Context,
  startTime?: SpanOptions['startTime'],
): Span | undefined {
  if (!takeFanout(services, series, message, false)) return undefined
  return decidedFanout(services, startBroadcastSpan(services, series, message, base, startTime))
}

/**
 * Takes the span of a fan-out that starts a trace on this node from the budget of the process; false if it is used up.
 *
 * @param hasParent the span has a parent on another node
 */
export function takeFanout(
  { budget, asks }: Services,
  series: Series,
  { key }: MessageName,
  hasParent: boolean,
): boolean {
  if (asks !== undefined && !hasParent && !asks.take(performance.now())) return false
  if (budget === undefined || budget.take(key, ANY_CONNECTION, performance.now())) return true
  series.droppedByProcess++
  return false
}

/** The sampler has decided on a span that {@link takeFanout} was called for. */
export function decidedFanout({ budget }: Services, span: Span | undefined): Span | undefined {
  if (!isRecording(span)) budget?.giveBack()
  return span
}

/** Records the two histograms of a fan-out that took so many seconds on this node. */
export function recordFanout(
  services: Services,
  series: Series,
  message: MessageName,
  recipients: number,
  seconds: number,
): void {
  const { metrics } = services
  if (!metrics.recording) return
  const attributes = series.named(message)
  metrics.broadcastRecipients.record(recipients, attributes)
  metrics.broadcastDuration.record(seconds, attributes)
}

/** Sets the attributes of a fan-out: connections that it was sent to, and those that were not open. */
export function describeFanout(span: Span, recipients: number, skipped: number): void {
  setAttribute(span, ATTR_WEBSOCKET_BROADCAST_RECIPIENTS, recipients)
  setAttribute(span, ATTR_WEBSOCKET_BROADCAST_SKIPPED, skipped)
}
