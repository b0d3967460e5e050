import { type Span, SpanKind } from '@opentelemetry/api'
import { activeContext } from '../api/context.ts'
import { extract } from '../api/propagation.ts'
import { idsOf, setAttribute, startSpan } from '../api/span.ts'
import { isUnsampled } from '../context/send-parent.ts'
import { spanOf, withoutSpan } from '../context/span-scope.ts'
import * as schema from '../schema.ts'
import type { MessageName } from '../span/names.ts'
import { unsampledIn } from '../span/unsampled.ts'
import { decidedFanout, takeFanout } from './fanout.ts'
import { type Audience, type FanoutServices, FanoutSpan, isBroadcastUntraced } from './fanout-span.ts'

/** The member of a broadcast's payload that carries its context from the publishing node to the others. */
export interface CrossNodeCarrier {
  /** Milliseconds of the wall clock when it was published. */
  sentAt: number
  /** The members that the propagator wrote, such as `traceparent`. */
  [key: string]: string | number
}

/** The fan-out on this node of a broadcast that another node has published. */
export class Delivery extends FanoutSpan {}

/**
 * Starts the delivery of a broadcast that another node has published; `undefined` if neither a span nor metrics are
 * recorded.
 *
 * @param carrier the payload's member; any other value counts as no carrier
 */
export function startDelivery(
  services: FanoutServices,
  audience: Audience,
  message: MessageName,
  carrier: unknown,
): Delivery | undefined {
  const { metrics, tracer } = services
  const active = withoutSpan(activeContext())
  const known = isCarrier(carrier) ? carrier : undefined
  let parent = active
  let span: Span | undefined
  if (tracer !== undefined) {
    // Trace context and baggage: nodes of one cluster trust each other.
    if (known !== undefined) parent = extract(active, known)
    // The publishing node made the sampling decision for the whole broadcast.
    if (known !== undefined && isUnsampled(parent)) span = spanOf(parent)
    else if (!isBroadcastUntraced(services, audience, message)) {
      const series = metrics.series(audience.route, audience.namespace, undefined)
      const kind = services.options.spanKinds === 'messaging' ? SpanKind.CONSUMER : SpanKind.INTERNAL
      const options = { kind, attributes: series.attributes }
      span = takeFanout(services, series, message, spanOf(parent) !== undefined)
        ? decidedFanout(services, startSpan(tracer, message.deliver, options, parent))
        : unsampledIn(idsOf(spanOf(parent)))
    }
  }
  if (span === undefined && !metrics.recording) return undefined
  const deliver = new Delivery(services, audience, message, parent, span)
  if (known !== undefined) {
    // The clocks of two machines differ; a negative lag is recorded as 0.
    const lag = Math.max(0, Date.now() - known.sentAt) / 1000
    setAttribute(span, schema.ATTR_WEBSOCKET_DELIVER_LAG, lag)
    if (metrics.recording) metrics.deliverLag.record(lag, deliver.series.named(message), deliver)
  }
  return deliver
}

function isCarrier(value: unknown): value is CrossNodeCarrier {
  return typeof value === 'object' && value !== null && Number.isFinite((value as { sentAt?: unknown }).sentAt)
}
