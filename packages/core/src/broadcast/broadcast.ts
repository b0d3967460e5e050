import { context, propagation, type Span, SpanKind } from '@opentelemetry/api'
import { isUnsampled, sendParent } from '../context/send-parent.ts'
import { withoutSpan, withSpan } from '../context/span-scope.ts'
import { ATTR_WEBSOCKET_ACK_OUTCOME } from '../schema.ts'
import type { MessageName } from '../span/names.ts'
import type { Telemetry } from '../telemetry.ts'
import type { CrossNodeCarrier } from './delivery.ts'
import { type Audience, FanoutSpan, isBroadcastUntraced } from './fanout-span.ts'

/**
 * A broadcast that is known to be one before anything of it has been sent. Its span exists from the start, so that the
 * payload that is published to other nodes can carry it.
 */
export class Broadcast extends FanoutSpan {
  #outcome: 'ok' | 'timeout' | undefined

  /**
   * Everybody has acknowledged the message, or the time for it is over.
   *
   * @param missing acknowledgements of clients that have not come
   */
  acknowledged(outcome: 'ok' | 'timeout', missing = 0): void {
    this.#outcome = outcome
    if (outcome === 'timeout') this.series.ackTimeouts += missing
  }

  /** What travels with the payload to the other nodes; the same for all of them. */
  carrier(): CrossNodeCarrier {
    const carrier: CrossNodeCarrier = { sentAt: Date.now() }
    const { span, parent } = this
    propagation.inject(span === undefined ? parent : withSpan(parent, span), carrier)
    return carrier
  }

  protected override onSettled(): void {
    super.onSettled()
    if (this.#outcome !== undefined) this.span?.setAttribute(ATTR_WEBSOCKET_ACK_OUTCOME, this.#outcome)
  }
}

/** Starts a broadcast; `undefined` when nobody would be told of it. */
export function startBroadcast(telemetry: Telemetry, audience: Audience, message: MessageName): Broadcast | undefined {
  const active = context.active()
  const parent = sendParent(active)
  let span: Span | undefined
  if (!isUnsampled(parent) && !isBroadcastUntraced(telemetry, audience, message)) {
    const { attributes } = telemetry.metrics.series(audience.route, audience.namespace, undefined)
    const options = { kind: SpanKind.PRODUCER, attributes }
    span = telemetry.tracer?.startSpan(message.broadcast, options, parent ?? withoutSpan(active))
  }
  if (span === undefined && !telemetry.metrics.recording) return undefined
  return new Broadcast(telemetry, audience, message, parent ?? withoutSpan(active), span, performance.now())
}
