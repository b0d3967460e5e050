import { type Context, type HrTime, type Span, SpanKind } from '@opentelemetry/api'
import type { Connection } from '../connection/connection.ts'
import type { AckOutcome, AckWaiter } from '../connection/pending-ack.ts'
import type { Expirable } from '../context/deadlines.ts'
import { recordError } from '../context/operation.ts'
import { isUnsampled } from '../context/send-parent.ts'
import { spanOf, withoutSpan } from '../context/span-scope.ts'
import type { Carrier } from '../propagation/carrier.ts'
import { createCarrier, type PropagationTerms } from '../propagation/terms.ts'
import * as schema from '../schema.ts'
import { markFailed } from '../span/failure.ts'
import type { MessageName } from '../span/names.ts'

/** What most transmissions have nothing of. */
class RareState {
  /** The text with the carrier in it, and the agreement that it was made for. */
  wrapped: unknown
  wrappedFor: PropagationTerms | undefined
  acks: Set<AckWaiter> | undefined
  outcome: AckOutcome | undefined
  isVolatile = false
  isHeld = false
}

/**
 * One payload on its way to one or more connections. Whether it is a message to one peer or a broadcast is known only
 * when the synchronous run that sends it is over, so its span is created then, with the time of the first call.
 */
export class OutgoingMessage implements AckWaiter, Expirable {
  readonly connection: Connection
  readonly data: unknown
  #binary: boolean
  #size: number
  readonly message: MessageName
  /** Context of the span it belongs under; `undefined` outside of any. */
  readonly #parent: Context | undefined
  /** The context that was active at the call: a run is over when it changes. */
  readonly active: Context
  /** The transmission that was begun next in the same run. */
  next: OutgoingMessage | undefined
  readonly #traced: boolean
  readonly #explicit: boolean
  readonly #startTime: number
  /**
   * The wall clock at the start, in whole milliseconds: how the SDK times the spans that it starts itself, so that
   * neither a child nor a sibling seems to start before its time.
   */
  readonly #startedAt: number
  /** Where it went after its first connection, and when. */
  #latest: { connection: Connection; time: number } | undefined
  #recipients = 0
  #skipped = 0
  #sequence = 0
  #frames = 0
  #span: Span | undefined
  /** The span was started before it was known what it is to be: for the carrier, which has its ids. */
  #begun = false
  #flushedAt = 0
  #error: unknown
  #told = false
  #rare: RareState | undefined

  constructor(
    connection: Connection,
    data: unknown,
    binary: boolean,
    size: number,
    message: MessageName,
    active: Context,
    parent: Context | undefined,
    startTime: number,
    explicit: boolean,
  ) {
    this.connection = connection
    this.data = data
    this.#binary = binary
    this.#size = size
    this.message = message
    this.active = active
    this.#explicit = explicit
    this.#startTime = startTime === 0 ? performance.now() : startTime
    this.#startedAt = startTime === 0 ? Date.now() : Math.floor(Date.now() - (performance.now() - startTime))
    this.#parent = parent
    this.#traced =
      connection.telemetry.tracer !== undefined && !connection.isSendUntraced(message) && !isUnsampled(parent)
  }

  /** True when a span will be made of it, so that the adapter should report its flush. */
  get traced(): boolean {
    return this.#traced
  }

  /**
   * What the message carries to a peer that has agreed: the context of its span, which is started now, else of the span
   * around it.
   */
  carrier(agreement: PropagationTerms): Carrier | undefined {
    this.#begin()
    const span = this.#span ?? (this.#parent && spanOf(this.#parent))
    return createCarrier(span?.spanContext(), this.active, agreement.sendsBaggage)
  }

  /** The text with the carrier in it: made once, however many recipients it goes to. */
  injectContext(agreement: PropagationTerms, data: unknown, text: string | Uint8Array): unknown {
    const state = this.#state()
    if (state.wrappedFor === agreement) return state.wrapped
    state.wrapped = agreement.member.inject(data, text, this.carrier(agreement), false)
    state.wrappedFor = agreement
    return state.wrapped
  }

  /** True for the connection whose send may become a span of its own. */
  isFirst(connection: Connection): boolean {
    return this.connection === connection
  }

  /** True when the same payload is sent again in the same run. */
  matches(data: unknown, active: Context): boolean {
    return this.data === data && this.active === active
  }

  /** True when this connection has had the payload: what follows is another round. */
  wasSentTo(connection: Connection): boolean {
    return this.connection === connection || this.#latest?.connection === connection
  }

  /** A connection that is not open was passed over. */
  skipped(connection: Connection): void {
    this.#skipped++
    this.#went(connection, this.#latest?.time ?? this.#startTime)
  }

  /** The message has been encoded. */
  encoded(binary: boolean, size: number): void {
    this.#binary = binary
    this.#size = size
  }

  /** The host dropped the message, which the application had allowed it to. */
  dropped(): void {
    this.#state().isVolatile = true
  }

  /** The span lasts until the peer has acknowledged the message. */
  awaitAck(acks: Set<AckWaiter>): void {
    this.#state().acks = acks
    acks.add(this)
    this.connection.telemetry.deadlines.add(this)
  }

  settle(outcome: AckOutcome): void {
    if (!this.#awaitsAck) return
    this.#state().outcome = outcome
    this.#flushedAt = performance.now()
    this.#forgetAck()
    if (this.#told) this.#endSend()
  }

  expire(reason: 'age' | 'shutdown'): void {
    this.#span?.setAttribute(schema.ATTR_WEBSOCKET_SPAN_ENDED_BY, reason)
    this.#flushedAt = performance.now()
    this.#forgetAck()
    this.#endSend()
  }

  /** The host has taken the message for this connection. */
  sent(connection: Connection, sequence: number, frames = 1): void {
    this.#frames = frames
    if (++this.#recipients === 1) this.#sequence = sequence
    // The end of a single send is told by its flush.
    if (this.#recipients > 1 || connection !== this.connection) this.#went(connection, performance.now())
  }

  /** The host threw instead of taking the message. */
  failed(error: unknown): void {
    this.#error = error
    this.#forgetAck()
    this.flushed()
  }

  /** The first connection's message was handed to the kernel, or was not. */
  flushed(error?: unknown): void {
    if (this.#flushedAt !== 0 || this.#awaitsAck) return
    if (error !== undefined && error !== null) this.#error = error
    this.#flushedAt = performance.now()
    if (this.#told) this.#endSend()
  }

  /** The host hands the message out later: it is not told before `release`. */
  defer(): void {
    this.#state().isHeld = true
  }

  resume(): void {
    this.#state().isHeld = false
    this.resolve()
  }

  /** The synchronous run is over: what it was is known now. */
  resolve(): void {
    if (this.#told || this.#rare?.isHeld === true) return
    this.#told = true
    if (this.#explicit || this.#recipients + this.#skipped > 1) this.#tellBroadcast()
    else if (this.#traced) this.#tellSend()
  }

  #tellBroadcast(): void {
    const { telemetry, series } = this.connection
    const { metrics } = telemetry
    const endTime = this.#latest?.time ?? this.#startTime
    if (metrics.recording) {
      const attributes = series.named(this.message)
      metrics.broadcastRecipients.record(this.#recipients, attributes)
      metrics.broadcastDuration.record((endTime - this.#startTime) / 1000, attributes)
    }
    if (!this.#traced) return
    const span = this.#span ?? this.#startBroadcast()
    this.#span = undefined
    if (span === undefined) return
    if (span.isRecording()) {
      if (this.#begun) span.updateName(this.message.broadcast)
      this.connection.describe(span, this.message, this.#binary, this.#size)
      span.setAttribute(schema.ATTR_WEBSOCKET_BROADCAST_RECIPIENTS, this.#recipients)
      span.setAttribute(schema.ATTR_WEBSOCKET_BROADCAST_SKIPPED, this.#skipped)
      this.connection.callSendHook(span, this.data, this.#binary)
    }
    span.end(this.#wallTime(endTime))
  }

  /** Starts the span with what is known of it: a send, until a second connection is sent the same. */
  #begin(): void {
    if (this.#begun || !this.#traced) return
    this.#begun = true
    const many = this.#explicit || this.#recipients + this.#skipped > 0
    this.#span = many ? this.#startBroadcast() : this.#startSend(true)
  }

  #startBroadcast(): Span | undefined {
    const { telemetry, series } = this.connection
    return telemetry.tracer?.startSpan(
      this.message.broadcast,
      { kind: SpanKind.PRODUCER, attributes: series.attributes, startTime: hrTime(this.#startedAt) },
      this.#parent ?? withoutSpan(this.active),
    )
  }

  #startSend(undecided: boolean): Span | undefined {
    const { connection } = this
    const kind = this.#awaitsAck ? SpanKind.CLIENT : SpanKind.PRODUCER
    const startTime = hrTime(this.#startedAt)
    if (this.#parent === undefined) return connection.startSendSpan(this.message.send, startTime, kind, undecided)
    if (!connection.takeBudget()) return undefined
    const attributes = undecided ? connection.series.attributes : connection.identity()
    return connection.telemetry.tracer?.startSpan(this.message.send, { kind, attributes, startTime }, this.#parent)
  }

  #tellSend(): void {
    const { connection } = this
    if (!this.#begun) this.#span = this.#startSend(false)
    const span = this.#span
    if (span === undefined) return
    if (this.#begun) connection.completeSendSpan(span, this.#parent === undefined)
    if (span.isRecording()) {
      connection.describe(
        span,
        this.message,
        this.#binary,
        this.#size,
        this.#sequence === 0 ? undefined : this.#sequence,
      )
      connection.callSendHook(span, this.data, this.#binary)
    }
    if (this.#rare?.isVolatile === true) {
      span.setAttribute(schema.ATTR_WEBSOCKET_UNDELIVERED_REASON, 'volatile')
      if (!this.#awaitsAck) this.#flushedAt = this.#startTime
    } else if (this.#recipients === 0 && this.#error === undefined) {
      this.#forgetAck()
      markFailed(span, 'not_open')
      this.#flushedAt = this.#startTime
    }
    if (this.#flushedAt !== 0) this.#endSend()
  }

  #endSend(): void {
    const span = this.#span
    if (span === undefined) return
    this.#span = undefined
    if (this.#error !== undefined) recordError(span, this.#error)
    const outcome = this.#rare?.outcome
    if (outcome !== undefined) span.setAttribute(schema.ATTR_WEBSOCKET_ACK_OUTCOME, outcome)
    if (this.connection.telemetry.options.frames && this.#frames > 0) {
      span.setAttribute(schema.ATTR_WEBSOCKET_MESSAGE_FRAMES, this.#frames)
      span.setAttribute(schema.ATTR_WEBSOCKET_MESSAGE_SEND_TIME, (this.#flushedAt - this.#startTime) / 1000)
    }
    span.end(this.#wallTime(this.#flushedAt))
  }

  get #awaitsAck(): boolean {
    return this.#rare?.acks !== undefined
  }

  #forgetAck(): void {
    const state = this.#rare
    if (state?.acks === undefined) return
    state.acks.delete(this)
    state.acks = undefined
    this.connection.telemetry.deadlines.delete(this)
  }

  #went(connection: Connection, time: number): void {
    if (this.#latest === undefined) {
      this.#latest = { connection, time }
      return
    }
    this.#latest.connection = connection
    this.#latest.time = time
  }

  #state(): RareState {
    this.#rare ??= new RareState()
    return this.#rare
  }

  #wallTime(time: number): HrTime {
    return hrTime(this.#startedAt + (time - this.#startTime))
  }
}

/** Of a number the SDK asks its clock which kind of time it is; of this it does not. */
function hrTime(milliseconds: number): HrTime {
  const seconds = Math.trunc(milliseconds / 1000)
  return [seconds, Math.round((milliseconds - seconds * 1000) * 1_000_000)]
}
