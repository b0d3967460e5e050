import { type Context, type HrTime, type Span, type SpanContext, SpanKind, type SpanOptions } from '@opentelemetry/api'
import { addLinks, endSpan, idsOf, isRecording, renameSpan, setAttribute, startSpan } from '../api/span.ts'
import { describeFanout, recordFanout, startBroadcastSpan, startRootBroadcast } from '../broadcast/fanout.ts'
import type { AckOutcome, AckWaiter } from '../context/ack.ts'
import type { Expirable } from '../context/deadlines.ts'
import { adoptsOneMore, isCausedByAnother, isUnsampled } from '../context/send-parent.ts'
import { spanOf, spanScopeOf, withoutSpan } from '../context/span-scope.ts'
import { type Carrier, markBroadcast } from '../propagation/carrier.ts'
import { createCarrier, type PropagationTerms } from '../propagation/terms.ts'
import * as schema from '../schema.ts'
import { describeMessage } from '../span/describe.ts'
import { markFailed, recordError } from '../span/failure.ts'
import { causeLinks } from '../span/links.ts'
import type { MessageName } from '../span/names.ts'
import type { Sender } from './sender.ts'

/** State that most messages do not have: allocated on first use. */
class RareState {
  /** The text with the carrier, and the terms that it was made for. */
  injected: unknown
  injectedFor: PropagationTerms | undefined
  isInjectedForMany = false
  acks: Set<AckWaiter> | undefined
  outcome: AckOutcome | undefined
  isVolatile = false
  /** The span that caused the message and has no room for it among its children. */
  cause: SpanContext | undefined
  isDeferred = false
}

/**
 * One payload that is sent to one or more connections.
 *
 * States: `sending`, until the synchronous run that sends it ends (or `resume` is called after `defer`); then it is
 * resolved as a broadcast if it had several recipients, else as a send. A send is ended when it is flushed, or when its
 * acknowledgement is settled; both may happen before it is resolved. Its span is created when it is resolved, with the
 * time of the call, except if a carrier needs its ids before.
 */
export class OutgoingMessage implements AckWaiter, Expirable {
  readonly connection: Sender
  readonly data: unknown
  readonly name: MessageName
  /** The context that was active at the call: a run ends when it changes. */
  readonly active: Context
  /** The message that was started next in the same run. */
  next: OutgoingMessage | undefined
  readonly #isBroadcast: boolean
  #binary: boolean
  #size: number
  /** Context of the parent span; `undefined` outside of any. */
  #parent: Context | undefined
  /** True if the message gets a span, so that the adapter should report its flush. */
  readonly traced: boolean
  /** Milliseconds on the monotonic clock. */
  readonly #startTime: number
  /**
   * The wall clock at the start, in whole milliseconds, as the SDK takes the time of spans that it starts itself: so no
   * child or sibling seems to start earlier.
   */
  readonly #startedAt: number
  /** The recipient after the first one that came last, and when. */
  #latest: { connection: Sender; time: number } | undefined
  #recipients = 0
  #skipped = 0
  #sequence = 0
  #frames = 0
  #span: Span | undefined
  /** The span was started before the message was resolved, because a carrier needed its ids. */
  #isStartedEarly = false
  #flushedAt = 0
  #error: unknown
  #isResolved = false
  #rare: RareState | undefined

  /**
   * @param startTime milliseconds on the monotonic clock; 0 for now
   * @param isBroadcast true if it is known to be a broadcast, whatever the number of recipients
   */
  constructor(
    connection: Sender,
    data: unknown,
    name: MessageName,
    active: Context,
    parent: Context | undefined,
    startTime = 0,
    isBroadcast = false,
  ) {
    this.connection = connection
    this.data = data
    this.#binary = false
    this.#size = 0
    this.name = name
    this.active = active
    this.#isBroadcast = isBroadcast
    this.#startTime = startTime === 0 ? performance.now() : startTime
    this.#startedAt = startTime === 0 ? Date.now() : Math.floor(Date.now() - (performance.now() - startTime))
    this.#parent = parent
    this.traced = connection.services.tracer !== undefined && !connection.isSendUntraced(name) && !isUnsampled(parent)
    if (this.traced && parent !== undefined && !adoptsOneMore(active, connection.services.options.maxChildSpans)) {
      this.#rareState().cause = idsOf(spanOf(parent))
      this.#parent = undefined
    }
  }

  /** The message has been encoded. */
  encoded(binary: boolean, size: number): void {
    this.#binary = binary
    this.#size = size
  }

  /** The carrier for a peer with these terms: the context of the message's span, which starts now, else of its parent. */
  carrier(terms: PropagationTerms): Carrier | undefined {
    this.#startEarly()
    const span = this.#span ?? (this.#parent && spanOf(this.#parent))
    const carrier = createCarrier(idsOf(span), this.active, terms.sendsBaggage)
    return this.#isToMany ? markBroadcast(carrier) : carrier
  }

  /** The text with the carrier: created once for the first recipient, and once for all others with the same terms. */
  injectContext(terms: PropagationTerms, data: unknown, text: string | Uint8Array): unknown {
    const state = this.#rareState()
    const isToMany = this.#isToMany
    if (state.injectedFor === terms && state.isInjectedForMany === isToMany) return state.injected
    state.injected = terms.member.inject(data, text, this.carrier(terms), false)
    state.injectedFor = terms
    state.isInjectedForMany = isToMany
    return state.injected
  }

  /** True for the connection whose send may become a span of its own: report its flush. */
  isFirst(connection: Sender): boolean {
    return this.connection === connection
  }

  /** True if the same payload is sent again in the same run. */
  matches(data: unknown, active: Context): boolean {
    return this.data === data && this.active === active
  }

  /** True if the payload was sent to this connection before: sending it again is a new message. */
  wasSentTo(connection: Sender): boolean {
    return this.connection === connection || this.#latest?.connection === connection
  }

  /** A connection was skipped because it is not open. */
  skipped(connection: Sender): void {
    this.#skipped++
    this.#setLatest(connection, this.#latest?.time ?? this.#startTime)
  }

  /** The host dropped the message, which the application had marked as volatile. */
  dropped(): void {
    this.#rareState().isVolatile = true
  }

  /** The span lasts until the peer has acknowledged the message. */
  awaitAck(acks: Set<AckWaiter>): void {
    this.#rareState().acks = acks
    acks.add(this)
    this.connection.services.deadlines.add(this)
  }

  settle(outcome: AckOutcome): void {
    if (!this.#awaitsAck) return
    this.#rareState().outcome = outcome
    this.#flushedAt = performance.now()
    this.#forgetAck()
    if (this.#isResolved) this.#endSend()
  }

  /** The acknowledgement has not arrived for too long, or the process stops. */
  expire(reason: 'age' | 'shutdown'): void {
    setAttribute(this.#span, schema.ATTR_WEBSOCKET_SPAN_ENDED_BY, reason)
    this.#flushedAt = performance.now()
    this.#forgetAck()
    this.#endSend()
  }

  /** The host has accepted the message for this connection. */
  sent(connection: Sender, sequence: number, frames = 1): void {
    this.#frames = frames
    const recipients = ++this.#recipients
    const { name } = this.name
    if (name !== undefined && connection.services.metrics.recording) {
      const isMany = recipients > 1 || this.#isBroadcast
      connection.series.sentNamed(name, this.#binary, isMany ? 'broadcast' : 'personal')
      if (recipients === 2 && !this.#isBroadcast) this.connection.series.becameBroadcast(name)
    }
    if (recipients === 1) this.#sequence = sequence
    else if (this.#recipients === 2 && !this.#isBroadcast) this.connection.broadcastSent++
    if (this.#recipients > 1 || this.#isBroadcast) connection.broadcastSent++
    // A send to one connection ends when it is flushed.
    if (this.#recipients > 1 || connection !== this.connection) this.#setLatest(connection, performance.now())
  }

  /** The host threw and did not accept the message. */
  failed(error: unknown): void {
    this.#error = error
    this.#forgetAck()
    this.flushed()
  }

  /** The message to the first connection was written to the kernel, or could not be. */
  flushed(error?: unknown): void {
    if (this.#flushedAt !== 0 || this.#awaitsAck) return
    if (error !== undefined && error !== null) this.#error = error
    this.#flushedAt = performance.now()
    if (this.#isResolved) this.#endSend()
  }

  /** The host sends the message after this run: it is not resolved before `resume`. */
  defer(): void {
    this.#rareState().isDeferred = true
  }

  resume(): void {
    this.#rareState().isDeferred = false
    this.resolve()
  }

  /** The run has ended: the message is a send or a broadcast. */
  resolve(): void {
    if (this.#isResolved || this.#rare?.isDeferred === true) return
    this.#isResolved = true
    if (this.#isBroadcast || this.#recipients + this.#skipped > 1) this.#recordBroadcast()
    else if (this.traced) this.#recordSend()
  }

  #recordBroadcast(): void {
    const { services, series } = this.connection
    const endTime = this.#latest?.time ?? this.#startTime
    recordFanout(services, series, this.name, this.#recipients, (endTime - this.#startTime) / 1000)
    if (!this.traced) return
    const span = this.#span ?? this.#startBroadcastSpan()
    this.#span = undefined
    if (span === undefined) return
    if (isRecording(span)) {
      if (this.#isStartedEarly) renameSpan(span, this.name.broadcast)
      describeMessage(span, this.name, this.#binary, this.#size)
      describeFanout(span, this.#recipients, this.#skipped)
      if (this.#recipients === 1 && this.#skipped === 0) this.#linkReceiver(span)
      this.connection.callSendHook(span, this.data, this.#binary)
    }
    endSpan(span, this.#wallTime(endTime))
  }

  #recordSend(): void {
    const { connection } = this
    if (!this.#isStartedEarly) this.#span = this.#startSendSpan(false)
    const span = this.#span
    if (span === undefined) return
    if (this.#isStartedEarly) {
      connection.completeSendSpan(span, this.#parent === undefined)
      this.#linkReceiver(span)
    }
    if (isRecording(span)) {
      const sequence = this.#sequence === 0 ? undefined : this.#sequence
      describeMessage(span, this.name, this.#binary, this.#size, sequence)
      if (sequence !== undefined) connection.countSendSpan(span, sequence)
      if (connection.services.options.onMessage !== undefined) connection.callSendHook(span, this.data, this.#binary)
    }
    if (this.#rare?.isVolatile === true) {
      setAttribute(span, schema.ATTR_WEBSOCKET_UNDELIVERED_REASON, 'volatile')
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
    if (outcome !== undefined) setAttribute(span, schema.ATTR_WEBSOCKET_ACK_OUTCOME, outcome)
    if (outcome === 'disconnected') setAttribute(span, schema.ATTR_WEBSOCKET_SPAN_ENDED_BY, 'disconnect')
    if (this.connection.services.options.frames && this.#frames > 0) {
      setAttribute(span, schema.ATTR_WEBSOCKET_MESSAGE_FRAMES, this.#frames)
      setAttribute(span, schema.ATTR_WEBSOCKET_MESSAGE_SEND_TIME, (this.#flushedAt - this.#startTime) / 1000)
    }
    endSpan(span, this.#wallTime(this.#flushedAt))
  }

  /** Starts the span before the message is resolved: as a send, until a second connection gets the same payload. */
  #startEarly(): void {
    if (this.#isStartedEarly || !this.traced) return
    this.#isStartedEarly = true
    this.#span = this.#isToMany ? this.#startBroadcastSpan() : this.#startSendSpan(true)
  }

  /** True once it is known that the message goes to more than one connection. */
  get #isToMany(): boolean {
    return this.#isBroadcast || this.#recipients + this.#skipped > 0
  }

  #startBroadcastSpan(): Span | undefined {
    const { services, series } = this.connection
    const startTime = hrTime(this.#startedAt)
    if (this.#parent !== undefined) {
      if (spanScopeOf(this.active) !== undefined) services.budget?.chargeInside()
      return startBroadcastSpan(services, series, this.name, this.#parent, startTime)
    }
    return this.#linkCause(startRootBroadcast(services, series, this.name, withoutSpan(this.active), startTime))
  }

  /** Links the span to the one connection that the message goes to, if another connection's message has caused it. */
  #linkReceiver(span: Span): void {
    const { connection } = this
    if (this.#parent !== undefined && isCausedByAnother(this.active, connection))
      addLinks(span, connection.receiverLinks())
  }

  #startSendSpan(undecided: boolean): Span | undefined {
    const { connection } = this
    // Before it is decided what the message is, its span starts only because a carrier needs its ids.
    const goesOut = undecided || connection.services.options.spanKinds === 'messaging'
    const kind = goesOut ? (this.#awaitsAck ? SpanKind.CLIENT : SpanKind.PRODUCER) : SpanKind.INTERNAL
    const startTime = hrTime(this.#startedAt)
    if (this.#parent === undefined) {
      return this.#linkCause(connection.startSendSpan(this.name, startTime, kind, undecided))
    }
    if (!connection.takeInside(spanScopeOf(this.active) !== undefined)) return undefined
    const attributes = undecided ? connection.series.attributes : connection.identity()
    const options: SpanOptions = { kind, attributes, startTime }
    if (!undecided && isCausedByAnother(this.active, connection)) options.links = connection.receiverLinks()
    return startSpan(connection.services.tracer, this.name.send, options, this.#parent)
  }

  #linkCause(span: Span | undefined): Span | undefined {
    const cause = this.#rare?.cause
    if (span !== undefined && cause !== undefined) addLinks(span, causeLinks(cause))
    return span
  }

  get #awaitsAck(): boolean {
    return this.#rare?.acks !== undefined
  }

  #forgetAck(): void {
    const state = this.#rare
    if (state?.acks === undefined) return
    state.acks.delete(this)
    state.acks = undefined
    this.connection.services.deadlines.delete(this)
  }

  #setLatest(connection: Sender, time: number): void {
    if (this.#latest === undefined) {
      this.#latest = { connection, time }
      return
    }
    this.#latest.connection = connection
    this.#latest.time = time
  }

  #rareState(): RareState {
    this.#rare ??= new RareState()
    return this.#rare
  }

  #wallTime(time: number): HrTime {
    return hrTime(this.#startedAt + (time - this.#startTime))
  }
}

/** `HrTime` saves the SDK a clock read; with a plain number it would have to find out the time base. */
function hrTime(milliseconds: number): HrTime {
  const seconds = Math.trunc(milliseconds / 1000)
  return [seconds, Math.round((milliseconds - seconds * 1000) * 1_000_000)]
}
