import type { Context, Span } from '@opentelemetry/api'
import { Operation } from '../context/operation.ts'
import type { Series } from '../metrics/set.ts'
import * as schema from '../schema.ts'
import { describeMessage } from '../span/describe.ts'
import type { MessageName } from '../span/names.ts'
import type { Telemetry } from '../telemetry.ts'

/** What the recipients of a message to many have in common. */
export interface Audience {
  readonly route?: string | undefined
  readonly namespace?: string | undefined
}

/**
 * One message on its way to many connections of this node, which need not be known beforehand. The host's fan-out runs
 * in it, so that what the host does for it, such as publishing to other nodes, stands under its span.
 */
export abstract class FanoutSpan extends Operation {
  readonly message: MessageName
  readonly series: Series
  declare protected readonly telemetry: Telemetry
  #recipients = 0
  #skipped = 0
  #binary: boolean | undefined
  #size = 0
  #distributed = false
  #awaited = false

  constructor(
    telemetry: Telemetry,
    audience: Audience,
    message: MessageName,
    active: Context,
    span: Span | undefined,
    startTime: number,
  ) {
    super(telemetry, active, span, startTime)
    this.message = message
    this.series = telemetry.metrics.series(audience.route, audience.namespace, undefined)
  }

  override get adopts(): boolean {
    return !this.ended
  }

  /** The message is ready to be sent: its type, its size in bytes, and what of it the application knows. */
  encoded(binary: boolean, size: number, data?: unknown): void {
    this.#binary = binary
    this.#size = size
    const { onMessage } = this.telemetry.options
    if (onMessage === undefined || !this.span?.isRecording()) return
    const info = { connectionId: undefined, direction: 'send', data, binary } as const
    const extra = this.telemetry.callHook('onMessage', onMessage, this.span, info)
    if (extra) this.span.setAttributes(extra)
  }

  /** The host has taken the message for one more connection. */
  sent(): void {
    this.#recipients++
  }

  /** A connection was passed over because it was not open. */
  skipped(): void {
    this.#skipped++
  }

  /** Keeps the span open until the message has gone to all connections of this node, or will not. */
  awaitFanout(): void {
    if (this.#distributed || this.#awaited) return
    this.#awaited = true
    this.hold()
  }

  /** The host has done all that it does and did not hand the message out. */
  fanoutAbandoned(): void {
    if (!this.#awaited) return
    this.#awaited = false
    this.done()
  }

  /** The message has gone to all connections of this node. The first call is told; what goes to servers only never calls it. */
  fanoutCompleted(): void {
    if (this.#distributed) return
    this.#distributed = true
    const { metrics } = this.telemetry
    if (metrics.recording) {
      const attributes = this.series.named(this.message)
      metrics.broadcastRecipients.record(this.#recipients, attributes)
      metrics.broadcastDuration.record((performance.now() - this.startTime) / 1000, attributes)
    }
    this.fanoutAbandoned()
  }

  protected override onSettled(): void {
    const { span, message } = this
    if (!span?.isRecording()) return
    if (this.#binary !== undefined) describeMessage(span, message, this.#binary, this.#size)
    else if (message.name !== undefined) span.setAttribute(schema.ATTR_WEBSOCKET_MESSAGE_NAME, message.name)
    if (!this.#distributed) return
    span.setAttribute(schema.ATTR_WEBSOCKET_BROADCAST_RECIPIENTS, this.#recipients)
    span.setAttribute(schema.ATTR_WEBSOCKET_BROADCAST_SKIPPED, this.#skipped)
  }
}

/** True when option `ignore` leaves everything on the audience's route alone. A predicate is asked about its messages. */
export function isAudienceIgnored(telemetry: Telemetry, { route }: Audience): boolean {
  const { ignore } = telemetry.options
  return ignore !== undefined && typeof ignore !== 'function' && telemetry.ignores({ kind: 'connection', route })
}

/** True when option `messages`, `outgoing` or `ignore` leaves an outgoing message without a span. */
export function isBroadcastUntraced(telemetry: Telemetry, audience: Audience, message: MessageName): boolean {
  const { options } = telemetry
  if (!options.messages || !options.outgoing) return true
  if (options.ignore === undefined) return false
  return telemetry.ignores({ kind: 'message', route: audience.route, name: message.name, direction: 'send' })
}
