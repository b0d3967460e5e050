import { type Context, context, propagation, type Span, SpanKind } from '@opentelemetry/api'
import { isUnsampled } from '../context/send-parent.ts'
import { spanOf, withoutSpan } from '../context/span-scope.ts'
import * as schema from '../schema.ts'
import type { MessageName } from '../span/names.ts'
import type { Telemetry } from '../telemetry.ts'
import { type Audience, FanoutSpan, isBroadcastUntraced } from './fanout-span.ts'

/** What a broadcast's payload carries from the node that publishes it to the others. */
export interface CrossNodeCarrier {
  /** Milliseconds of the wall clock when it was published. */
  sentAt: number
  /** The members that the propagator wrote, such as `traceparent`. */
  [key: string]: string | number
}

/** A broadcast of another node that has arrived at this one. */
export class Delivery extends FanoutSpan {}

/**
 * Starts the delivery of a broadcast that another node has published; `undefined` when nobody would be told of it.
 *
 * @param carrier what came with the payload; anything else than a carrier counts as none
 */
export function startDelivery(
  telemetry: Telemetry,
  audience: Audience,
  message: MessageName,
  carrier: unknown,
): Delivery | undefined {
  const { metrics, tracer } = telemetry
  const active = withoutSpan(context.active())
  const known = isCarrier(carrier) ? carrier : undefined
  let parent = active
  let span: Span | undefined
  if (tracer !== undefined) {
    if (known !== undefined) parent = extract(active, known)
    // The decision was made where the broadcast started: one that is not sampled there is sampled nowhere.
    if (known !== undefined && isUnsampled(parent)) span = spanOf(parent)
    else if (!isBroadcastUntraced(telemetry, audience, message)) {
      const { attributes } = metrics.series(audience.route, audience.namespace, undefined)
      span = tracer.startSpan(message.deliver, { kind: SpanKind.CONSUMER, attributes }, parent)
    }
  }
  if (span === undefined && !metrics.recording) return undefined
  const deliver = new Delivery(telemetry, audience, message, parent, span, performance.now())
  if (known !== undefined) {
    // Clocks of two machines differ: nothing arrives before it was sent.
    const lag = Math.max(0, Date.now() - known.sentAt) / 1000
    span?.setAttribute(schema.ATTR_WEBSOCKET_DELIVER_LAG, lag)
    if (metrics.recording) metrics.deliverLag.record(lag, deliver.series.named(message), deliver)
  }
  return deliver
}

/** The payload's trace context; baggage too, since nodes of one cluster trust each other. */
function extract(active: Context, carrier: CrossNodeCarrier): Context {
  try {
    return propagation.extract(active, carrier)
  } catch {
    return active
  }
}

function isCarrier(value: unknown): value is CrossNodeCarrier {
  return typeof value === 'object' && value !== null && Number.isFinite((value as { sentAt?: unknown }).sentAt)
}
