import { type Context, context, type HrTime, type Span, SpanKind, SpanStatusCode } from '@opentelemetry/api'
import type { AckOutcome, AckWaiter } from './ack.ts'
import type { Connection, PartialMessage } from './connection.ts'
import { enclosing, isUnsampled } from './enclosing.ts'
import type { Expirable } from './expiry.ts'
import { spanOf, withoutSpan } from './frame.ts'
import type { MessageName } from './names.ts'
import { recordError } from './operation.ts'
import { type Agreement, carrierFor } from './propagation/agreement.ts'
import type { Carrier } from './propagation/carrier.ts'
import * as schema from './schema.ts'
import type { Telemetry } from './telemetry.ts'

/** Distinct payloads that one synchronous run may have in flight before the oldest is told. */
const MAX_OPEN = 8

/**
 * One payload on its way to one or more connections. Whether it is a message to one peer or a broadcast is known only
 * when the synchronous run that sends it is over, so its span is created then, with the time of the first call.
 */
export class Transmission implements AckWaiter, Expirable {
  readonly connection: Connection
  readonly data: unknown
  #binary: boolean
  #size: number
  readonly message: MessageName
  /** Context of the span it belongs under; `undefined` outside of any. */
  readonly #parent: Context | undefined
  /** The context that was active at the call: a run is over when it changes. */
  readonly active: Context
  readonly #traced: boolean
  readonly #explicit: boolean
  readonly #startTime: number
  /**
   * The wall clock at the start, in whole milliseconds: how the SDK times the spans that it starts itself, so that
   * neither a child nor a sibling seems to start before its time.
   */
  readonly #startedAt: number
  #lastTime: number
  #last: Connection | undefined
  #recipients = 0
  #skipped = 0
  #sequence = 0
  #frames = 0
  #span: Span | undefined
  /** The span was started before it was known what it is to be: for the carrier, which has its ids. */
  #begun = false
  #wrapped: unknown
  #wrappedFor: Agreement | undefined
  #flushedAt = 0
  #error: unknown
  #told = false
  #held = false
  #acks: Set<AckWaiter> | undefined
  #outcome: AckOutcome | undefined
  #isVolatile = false

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
    this.#lastTime = this.#startTime
    this.#parent = parent
    this.#traced =
      connection.telemetry.tracer !== undefined && !connection.untracedSend(message) && !isUnsampled(parent)
  }

  /** True when a span will be made of it, so that the adapter should report its flush. */
  get traced(): boolean {
    return this.#traced
  }

  /**
   * What the message carries to a peer that has agreed: the context of its span, which is started now, else of the span
   * around it.
   */
  carrier(agreement: Agreement): Carrier | undefined {
    this.#begin()
    const span = this.#span ?? (this.#parent && spanOf(this.#parent))
    return carrierFor(span?.spanContext(), this.active, agreement.sendsBaggage)
  }

  /** The text with the carrier in it: made once, however many recipients it goes to. */
  wrap(agreement: Agreement, data: unknown, text: string | Uint8Array): unknown {
    if (this.#wrappedFor === agreement) return this.#wrapped
    this.#wrapped = agreement.member.wrap(data, text, this.carrier(agreement), false)
    this.#wrappedFor = agreement
    return this.#wrapped
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
  reached(connection: Connection): boolean {
    return this.connection === connection || this.#last === connection
  }

  /** A connection that is not open was passed over. */
  skip(connection: Connection): void {
    this.#skipped++
    this.#last = connection
  }

  /** The message has been encoded. */
  encoded(binary: boolean, size: number): void {
    this.#binary = binary
    this.#size = size
  }

  /** The host dropped the message, which the application had allowed it to. */
  dropped(): void {
    this.#isVolatile = true
  }

  /** The span lasts until the peer has acknowledged the message. */
  awaitAck(acks: Set<AckWaiter>): void {
    this.#acks = acks
    acks.add(this)
    this.connection.telemetry.expiry.add(this)
  }

  settle(outcome: AckOutcome): void {
    if (this.#acks === undefined) return
    this.#outcome = outcome
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
    if (++this.#recipients === 1) this.#sequence = sequence
    this.#frames = frames
    this.#last = connection
    // The end of a single send is told by its flush.
    if (this.#recipients > 1) this.#lastTime = performance.now()
  }

  /** The host threw instead of taking the message. */
  failed(error: unknown): void {
    this.#error = error
    this.#forgetAck()
    this.flushed()
  }

  /** The first connection's message was handed to the kernel, or was not. */
  flushed(error?: unknown): void {
    if (this.#flushedAt !== 0 || this.#acks !== undefined) return
    if (error !== undefined && error !== null) this.#error = error
    this.#flushedAt = performance.now()
    if (this.#told) this.#endSend()
  }

  /** The host hands the message out later: it is not told before `release`. */
  hold(): void {
    this.#held = true
  }

  release(): void {
    this.#held = false
    this.tell()
  }

  /** The synchronous run is over: what it was is known now. */
  tell(): void {
    if (this.#told || this.#held) return
    this.#told = true
    if (this.#explicit || this.#recipients + this.#skipped > 1) this.#tellBroadcast()
    else if (this.#traced) this.#tellSend()
  }

  #tellBroadcast(): void {
    const { telemetry, series } = this.connection
    const { metrics } = telemetry
    if (metrics.recording) {
      const attributes = series.named(this.message)
      metrics.broadcastRecipients.record(this.#recipients, attributes)
      metrics.broadcastDuration.record((this.#lastTime - this.#startTime) / 1000, attributes)
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
    span.end(this.#wallTime(this.#lastTime))
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
    const kind = this.#acks === undefined ? SpanKind.PRODUCER : SpanKind.CLIENT
    if (this.#parent === undefined) return connection.startSend(this.message.send, hrTime(this.#startedAt), kind, undecided)
    if (!connection.spend()) return undefined
    const attributes = undecided ? connection.series.attributes : connection.identity()
    return connection.telemetry.tracer?.startSpan(
      this.message.send,
      { kind, attributes, startTime: hrTime(this.#startedAt) },
      this.#parent,
    )
  }

  #tellSend(): void {
    const { connection } = this
    if (!this.#begun) this.#span = this.#startSend(false)
    const span = this.#span
    if (span === undefined) return
    if (this.#begun) connection.decideSend(span, this.#parent === undefined)
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
    if (this.#isVolatile) {
      span.setAttribute(schema.ATTR_WEBSOCKET_UNDELIVERED_REASON, 'volatile')
      if (this.#acks === undefined) this.#flushedAt = this.#lastTime
    } else if (this.#recipients === 0 && this.#error === undefined) {
      this.#forgetAck()
      span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute(schema.ATTR_ERROR_TYPE, 'not_open')
      this.#flushedAt = this.#lastTime
    }
    if (this.#flushedAt !== 0) this.#endSend()
  }

  #endSend(): void {
    const span = this.#span
    if (span === undefined) return
    this.#span = undefined
    if (this.#error !== undefined) recordError(span, this.#error)
    if (this.#outcome !== undefined) span.setAttribute(schema.ATTR_WEBSOCKET_ACK_OUTCOME, this.#outcome)
    if (this.connection.telemetry.options.frames && this.#frames > 0) {
      span.setAttribute(schema.ATTR_WEBSOCKET_MESSAGE_FRAMES, this.#frames)
      span.setAttribute(schema.ATTR_WEBSOCKET_MESSAGE_SEND_TIME, (this.#flushedAt - this.#startTime) / 1000)
    }
    span.end(this.#wallTime(this.#flushedAt))
  }

  #forgetAck(): void {
    if (this.#acks === undefined) return
    this.#acks.delete(this)
    this.#acks = undefined
    this.connection.telemetry.expiry.delete(this)
  }

  #wallTime(time: number): HrTime {
    return hrTime(this.#startedAt + (time - this.#startTime))
  }
}

/** The transmissions of one server that are still being handed out. */
export class Fanout {
  readonly #telemetry: Telemetry
  #open: Transmission[] = []
  /** Messages of which fragments have been sent, and whose spans have been started. */
  readonly #begun = new Set<Transmission>()
  #explicit: Transmission | undefined
  #depth = 0
  #scheduled = false

  constructor(telemetry: Telemetry) {
    this.#telemetry = telemetry
  }

  /** User code of ours starts to run synchronously: its end is the end of the run. */
  enter(): void {
    this.#depth++
  }

  leave(): void {
    if (--this.#depth === 0 && this.#open.length > 0) this.flush()
  }

  /** The transmission that a send belongs to: one that is already on its way to others, or a new one. */
  take(
    connection: Connection,
    data: unknown,
    binary: boolean,
    size: number,
    name: string | undefined,
    startedAt: number,
  ): Transmission | undefined {
    if (this.#explicit !== undefined) return this.#explicit
    const active = context.active()
    const index = this.#open.findIndex((open) => open.matches(data, active))
    if (index !== -1) {
      const open = this.#open[index] as Transmission
      if (!open.reached(connection)) return open
      this.#open.splice(index, 1)
      open.tell()
    }
    const telemetry = this.#telemetry
    const parent = enclosing(active)
    if (!telemetry.metrics.recording && isUnsampled(parent)) return undefined
    // Of a message that went out in fragments nobody has the whole.
    const message =
      name !== undefined
        ? telemetry.named(name)
        : startedAt !== 0
          ? telemetry.unnamed(connection.route)
          : telemetry.nameOf(data, binary, size, connection.route)
    const transmission = new Transmission(connection, data, binary, size, message, active, parent, startedAt, false)
    this.#add(transmission)
    return transmission
  }

  /** A message with a name to one connection, whatever else is sent in the same run. */
  emission(connection: Connection, data: unknown, name: string): Transmission | undefined {
    const telemetry = this.#telemetry
    const active = context.active()
    const parent = enclosing(active)
    if (!telemetry.metrics.recording && isUnsampled(parent)) return undefined
    const message = telemetry.named(name)
    const transmission = new Transmission(connection, data, false, 0, message, active, parent, 0, false)
    if (!transmission.traced) return undefined
    this.#add(transmission)
    return transmission
  }

  /**
   * The transmission of a message whose first fragment is about to be sent to a peer that has agreed. It is told once
   * its last fragment has been sent, which may be in another run.
   */
  begin(connection: Connection, fragments: PartialMessage): Transmission {
    const active = context.active()
    const message = this.#telemetry.unnamed(connection.route)
    const transmission = new Transmission(
      connection,
      fragments,
      fragments.binary,
      0,
      message,
      active,
      enclosing(active),
      fragments.startedAt,
      false,
    )
    this.#begun.add(transmission)
    return transmission
  }

  /** The last fragment of a message is about to be sent. */
  finish(transmission: Transmission): void {
    this.#begun.delete(transmission)
    this.#add(transmission)
  }

  /** The last fragment of a message will never be sent. */
  abandon(transmission: Transmission, error?: unknown): void {
    this.#begun.delete(transmission)
    if (error !== undefined) transmission.failed(error)
    transmission.tell()
  }

  /** A connection that is not open was passed over. */
  skip(connection: Connection, data: unknown, binary: boolean, size: number, name: string | undefined): void {
    this.take(connection, data, binary, size, name, 0)?.skip(connection)
  }

  /** An explicit broadcast passed a connection over. */
  passOver(connection: Connection): void {
    this.#explicit?.skip(connection)
  }

  /**
   * Runs a fan-out that is known to be one: all sends of `run` to these connections belong to it, whichever servers they
   * came by, and there is one span. It is told by the telemetry of the first.
   */
  broadcast<R>(
    connections: readonly [Connection, ...Connection[]],
    data: unknown,
    binary: boolean,
    size: number,
    name: string | undefined,
    run: () => R,
  ): R {
    const telemetry = this.#telemetry
    if (telemetry.dark) return run()
    const [first] = connections
    const message = name === undefined ? telemetry.nameOf(data, binary, size, first.route) : telemetry.named(name)
    const active = context.active()
    const transmission = new Transmission(first, data, binary, size, message, active, enclosing(active), 0, true)
    const fanouts = [...new Set(connections.map((connection) => connection.telemetry.fanout))]
    const outer = fanouts.map((fanout) => fanout.#explicit)
    for (const fanout of fanouts) fanout.#explicit = transmission
    try {
      return run()
    } catch (error) {
      transmission.failed(error)
      throw error
    } finally {
      fanouts.forEach((fanout, index) => {
        fanout.#explicit = outer[index]
      })
      transmission.tell()
    }
  }

  /** The synchronous run is over. */
  flush(): void {
    const open = this.#open
    if (open.length === 0) return
    this.#open = []
    for (const transmission of open) transmission.tell()
  }

  /** Tells everything, also messages of which fragments are still to come. */
  shutdown(): void {
    this.flush()
    for (const transmission of this.#begun) this.abandon(transmission)
  }

  #add(transmission: Transmission): void {
    this.#open.push(transmission)
    if (this.#open.length > MAX_OPEN) this.#open.shift()?.tell()
    if (this.#depth > 0 || this.#scheduled) return
    this.#scheduled = true
    Promise.resolve().then(() => {
      this.#scheduled = false
      this.flush()
    })
  }
}

/** Of a number the SDK asks its clock which kind of time it is; of this it does not. */
function hrTime(milliseconds: number): HrTime {
  const seconds = Math.trunc(milliseconds / 1000)
  return [seconds, Math.round((milliseconds - seconds * 1000) * 1_000_000)]
}
