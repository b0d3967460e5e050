import type { Context, Span } from '@opentelemetry/api'
import { activeContext } from '../api/context.ts'
import { inject } from '../api/propagation.ts'
import { addLinks, idsOf, setAttribute } from '../api/span.ts'
import { adoptsOneMore, isUnsampled, sendParent } from '../context/send-parent.ts'
import { spanOf, spanScopeOf, withoutSpan, withSpan } from '../context/span-scope.ts'
import type { Series } from '../metrics/series.ts'
import { ATTR_WEBSOCKET_ACK_OUTCOME } from '../schema.ts'
import { causeLinks } from '../span/links.ts'
import type { MessageName } from '../span/names.ts'
import { unsampledIn } from '../span/unsampled.ts'
import type { CrossNodeCarrier } from './delivery.ts'
import { startBroadcastSpan, startRootBroadcast } from './fanout.ts'
import { type Audience, type FanoutServices, FanoutSpan, isBroadcastUntraced } from './fanout-span.ts'

/**
 * A broadcast that is known to be one before any of it is sent. Its span starts first, so that its context can be
 * injected into the payload for other nodes.
 */
export class Broadcast extends FanoutSpan {
  #outcome: 'ok' | 'timeout' | undefined

  /**
   * All recipients have acknowledged the message, or the time for it has passed.
   *
   * @param missing number of clients that have not acknowledged
   */
  acknowledged(outcome: 'ok' | 'timeout', missing = 0): void {
    this.#outcome = outcome
    if (outcome === 'timeout') this.series.ackTimeouts += missing
  }

  /** The carrier for the other nodes; the same for all of them. */
  carrier(): CrossNodeCarrier {
    const carrier: CrossNodeCarrier = { sentAt: Date.now() }
    const { span, parent } = this
    inject(span === undefined ? parent : withSpan(parent, span), carrier)
    return carrier
  }

  protected override describeEnd(span: Span): void {
    super.describeEnd(span)
    if (this.#outcome !== undefined) setAttribute(span, ATTR_WEBSOCKET_ACK_OUTCOME, this.#outcome)
  }
}

/** Starts a broadcast; `undefined` if neither a span nor metrics are recorded. */
export function startBroadcast(
  services: FanoutServices,
  audience: Audience,
  message: MessageName,
): Broadcast | undefined {
  const active = activeContext()
  const sender = sendParent(active)
  const isUntraced = isUnsampled(sender) || isBroadcastUntraced(services, audience, message)
  const isAdopted = sender !== undefined && (isUntraced || adoptsOneMore(active, services.options.maxChildSpans))
  const parent = isAdopted ? sender : withoutSpan(active)
  const series = services.metrics.series(audience.route, audience.namespace, undefined)
  const span = isUntraced ? undefined : startTracedBroadcast(services, series, message, parent, isAdopted)
  if (span !== undefined && sender !== undefined && !isAdopted) addLinks(span, causeLinks(idsOf(spanOf(sender))))
  if (span === undefined && !services.metrics.recording) return undefined
  return new Broadcast(services, audience, message, parent, span)
}

/** Starts the span, inside of the sender's trace or as one of its own, which may be over the budget of the process. */
function startTracedBroadcast(
  services: FanoutServices,
  series: Series,
  message: MessageName,
  parent: Context,
  isInside: boolean,
): Span | undefined {
  if (!isInside) return startRootBroadcast(services, series, message, parent) ?? unsampledIn(undefined)
  if (spanScopeOf(parent) !== undefined) services.budget?.chargeInside()
  return startBroadcastSpan(services, series, message, parent)
}
