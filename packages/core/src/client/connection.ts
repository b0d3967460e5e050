import {
  type Attributes,
  type AttributeValue,
  type Context,
  context,
  type Link,
  propagation,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import { type CloseFacts, closeCodeLabel, tellClose, truncateUtf8 } from '../close.ts'
import { closeAttributes } from '../close-attributes.ts'
import { activeCarrier, enclosing, isUnsampled } from '../enclosing.ts'
import { unref } from '../expiry.ts'
import { withoutSpan, withSpan } from '../frame.ts'
import { describeMessage } from '../message.ts'
import { type MessageName, otherName } from '../names.ts'
import { recordError } from '../operation.ts'
import type { CloseInfo } from '../options.ts'
import { Process } from '../process.ts'
import {
  type Agreement,
  agreementOf,
  carrierFor,
  type InBand,
  readInBand,
  textOf,
  withBaggage,
} from '../propagation/agreement.ts'
import type { Carrier } from '../propagation/carrier.ts'
import { readHello } from '../propagation/negotiation.ts'
import { randomId } from '../random-id.ts'
import * as schema from '../schema.ts'
import type { Connect } from './connect.ts'
import { type ClientSeries, directed } from './metrics.ts'
import { offerOf } from './offer.ts'
import { lose } from './reconnects.ts'
import type { ClientTelemetry } from './telemetry.ts'

const HANDSHAKE_LINK: Attributes = { [schema.ATTR_WEBSOCKET_LINK_KIND]: 'handshake' }
const MESSAGE_LINK: Attributes = { [schema.ATTR_WEBSOCKET_LINK_KIND]: 'message' }
const NO_LINKS: Link[] = []

/** Milliseconds after the open for which spans wait for the hello of a server that was asked for one. */
const HELLO_PATIENCE = 2000

/** What an application can reach of a connection of its client: `connectionOf(socket)`. */
export interface ClientConnectionContext {
  /** 16 hex digits; `websocket.connection.id` of every span. `undefined` while the server has yet to tell it. */
  readonly id: string | undefined
  readonly route: string | undefined
  readonly subprotocol: string | undefined
  /** Sets an attribute on every later span of this connection, for example the user's id once it is known. */
  setAttribute(key: string, value: AttributeValue): this
  /** Sets several attributes on every later span of this connection. */
  setAttributes(attributes: Attributes): this
  /** Runs work that belongs to the connection and to no message, such as a timer's: whatever span was active is left behind. */
  run<R>(fn: () => R): R
  /** The trace context as a W3C carrier: of the active span, else of the connection's connect span. Empty without an SDK. */
  traceContext(): Record<string, string>
}

/** The record of one connection of a client. Holds numbers, texts and ids; never a span that has ended. */
export class ClientConnection implements ClientConnectionContext {
  readonly telemetry: ClientTelemetry
  series: ClientSeries
  /** What both ends have agreed on, or the user has declared; `undefined` while nothing is put into messages. */
  agreement: Agreement | undefined
  received = 0
  sent = 0
  receivedBytes = 0
  sentBytes = 0
  /** Called once when the connection is closed, or has not come about. */
  onEnded: (() => void) | undefined
  readonly #socket: { readonly bufferedAmount?: number }
  readonly #connect: Connect
  #id: string | undefined
  #extra: Attributes | undefined
  #attributes: Attributes | undefined
  #handshakeLinks: Link[] | undefined
  #openedAt = 0
  #closed = false
  #sentCode: number | undefined
  #sentReason: string | undefined
  #failedCode: number | undefined
  #terminated = false
  #patience: ReturnType<typeof setTimeout> | undefined
  #inBand: InBand | undefined
  /** The server was asked for the connection's id, so that spans may have started without it. */
  #wasAsked = false
  /** Spans that are over and wait for the connection's id, while the server has been asked for it and may answer. */
  #parked: { readonly span: Span; readonly endTime: number }[] | undefined

  constructor(connect: Connect, socket: { readonly bufferedAmount?: number }) {
    this.telemetry = connect.telemetry
    const { propagation: mode, carrierName } = this.telemetry.options
    if (mode === 'always') this.agreement = this.#terms(carrierName)
    this.#connect = connect
    this.#socket = socket
    this.series = this.telemetry.metrics.series(connect.route, connect.namespace)
  }

  get id(): string | undefined {
    if (this.#parked === undefined) this.#id ??= randomId()
    return this.#id
  }

  get route(): string | undefined {
    return this.#connect.route
  }

  get subprotocol(): string | undefined {
    return this.series.attributes[schema.ATTR_WEBSOCKET_SUBPROTOCOL] as string | undefined
  }

  /** True from the open to the close. */
  get isOpen(): boolean {
    return this.#openedAt !== 0 && !this.#closed
  }

  /** True once the connection has closed, or could not be made. */
  get isOver(): boolean {
    return this.#closed
  }

  setAttribute(key: string, value: AttributeValue): this {
    return this.setAttributes({ [key]: value })
  }

  setAttributes(attributes: Attributes): this {
    // New objects: those before may belong to a span by now.
    this.#extra = { ...this.#extra, ...attributes }
    this.#attributes = undefined
    return this
  }

  run<R>(fn: () => R): R {
    return context.with(withoutSpan(context.active()), fn)
  }

  traceContext(): Record<string, string> {
    const carrier: Record<string, string> = {}
    const active = context.active()
    const handshake = this.#connect.spanContext
    if (trace.getSpanContext(active) !== undefined) propagation.inject(active, carrier)
    else if (handshake !== undefined) propagation.inject(trace.setSpanContext(ROOT_CONTEXT, handshake), carrier)
    return carrier
  }

  bufferedAmount(): number {
    return this.#socket.bufferedAmount ?? 0
  }

  /**
   * The server was asked, in the query of the URL, for context in messages: its hello may be the first message. Until then
   * nobody knows the connection's id, so spans that end wait for it.
   */
  asked(): void {
    this.#parked = []
    this.#wasAsked = true
  }

  /** The server agrees, in its answer or with its hello. */
  agree(id: string): void {
    if (this.telemetry.options.propagation !== 'always') this.agreement = this.#terms()
    this.#identified(id)
  }

  /**
   * Takes the server's hello, when a message is that. It is none of the application's, and counts for nothing.
   *
   * @returns true when it was
   */
  greeted(data: unknown): boolean {
    if (this.#parked === undefined) return false
    const id = this.received === 0 && typeof data === 'string' ? readHello(data) : undefined
    if (id === undefined) this.#identified()
    else this.agree(id)
    return id !== undefined
  }

  /** Takes the context out of a text that arrived. What came in belongs to the next `receive`. */
  unwrap(data: unknown): unknown {
    const text = textOf(data)
    const found = text === undefined ? undefined : this.agreement?.member.remove(text)
    if (found === undefined) return data
    this.carried(readInBand(found.carrier, found.problem))
    return found.problem === undefined ? found.payload : data
  }

  /** What came in with a message, for the next `receive`. For hosts whose messages are no texts. */
  carried(inBand: InBand | undefined): void {
    this.#inBand = inBand
    if (inBand?.problem !== undefined) this.telemetry.carrierRefused(inBand.problem)
  }

  /** What the request of this connection carries, and the offer to take context in messages. */
  offer(): Record<string, string> {
    return offerOf(this.#connect)
  }

  /** What a message carries: the context of its span, else of the span that is active. */
  carrier(span: Span | undefined): Carrier | undefined {
    const { agreement } = this
    if (agreement === undefined) return undefined
    return span === undefined
      ? activeCarrier(agreement)
      : carrierFor(span.spanContext(), context.active(), agreement.sendsBaggage)
  }

  /**
   * Puts the context of a message into its text.
   *
   * @param span of the message; without one the context is that of the span that is active
   * @param partial the text is the first fragment of a message
   */
  wrap(data: unknown, span: Span | undefined, partial = false): unknown {
    const { agreement } = this
    const text = agreement === undefined ? undefined : textOf(data)
    if (agreement === undefined || text === undefined || !agreement.member.admits(text)) return data
    return agreement.member.wrap(data, text, this.carrier(span), partial)
  }

  /** The connection is open. */
  opened(subprotocol?: string, status?: number): void {
    if (this.#openedAt !== 0 || this.#closed) return
    this.#openedAt = performance.now()
    this.telemetry.refresh()
    this.series = this.telemetry.metrics.series(this.route, this.#connect.namespace, subprotocol)
    this.series.live.add(this)
    if (this.#connect.replaced !== undefined) this.series.reconnects++
    const connected = this.#connect.settle('accepted', status, undefined, this.#identity())
    if (connected !== undefined) this.end(connected.span, connected.endTime)
    if (this.#parked !== undefined) this.#patience = unref(setTimeout(() => this.#identified(), HELLO_PATIENCE))
  }

  /** The connection did not open, and will not. */
  failed(outcome: 'rejected' | 'abandoned' | 'failed', status?: number, error?: unknown): void {
    if (this.#openedAt !== 0 || this.#closed) return
    this.#closed = true
    this.onEnded?.()
    this.#parked = undefined
    const connected = this.#connect.settle(outcome, status, error)
    connected?.span.end(connected.endTime)
  }

  /**
   * A message arrived and is about to be dispatched. Counts it. Returns the operation that its handlers run in, or
   * `undefined` when it can go its way untouched.
   */
  receive(
    data: unknown,
    binary: boolean,
    size: number,
    name?: string,
    reply = false,
    registered = true,
  ): Process | undefined {
    const sequence = ++this.received
    this.receivedBytes += size
    const { series, telemetry } = this
    series.count('receive', binary, size)
    const inBand = this.#inBand
    this.#inBand = undefined
    if (telemetry.dark) return undefined
    const { options, metrics } = telemetry
    if (options.messageSizeMetric) metrics.messageSize.record(size, { ...series.attributes, ...directed('receive') })
    const message =
      name === undefined
        ? telemetry.nameOf(data, binary, this.route)
        : registered
          ? telemetry.named(name)
          : otherName(name)
    const active = this.agreement?.takesBaggage ? withBaggage(context.active(), inBand?.baggage) : context.active()
    const span = options.messages ? this.#startProcess(message, reply, active, inBand?.spanContext) : undefined
    if (span === undefined && !metrics.recording) return undefined
    if (span?.isRecording()) {
      this.#describe(span, message, 'receive', data, binary, size, sequence)
      if (inBand?.problem !== undefined) span.setAttribute(schema.ATTR_WEBSOCKET_MESSAGE_CARRIER_ERROR, inBand.problem)
    }
    return new Process(this, message, active, span)
  }

  /** A message is about to be handed to the host. Returns its span, or `undefined` when it is only counted. */
  sending(data: unknown, binary: boolean, size: number, name?: string, reply = false): Span | undefined {
    const { telemetry } = this
    if (telemetry.dark || !telemetry.options.messages || !telemetry.options.outgoing) return undefined
    const active = context.active()
    const parent = enclosing(active)
    // What is sent under a span that is not sampled inherits its decision, which saves every further step.
    if (isUnsampled(parent)) return undefined
    const message = name === undefined ? telemetry.nameOf(data, binary, this.route) : telemetry.named(name)
    const span = this.#start(
      message.send,
      reply ? SpanKind.CLIENT : SpanKind.PRODUCER,
      parent ?? withoutSpan(active),
      parent ? NO_LINKS : this.#links(),
    )
    if (span?.isRecording()) this.#describe(span, message, 'send', data, binary, size)
    return span
  }

  /** The host has taken a message: it is counted, and its span knows its place. */
  taken(span: Span | undefined, binary: boolean, size: number): void {
    const { series, telemetry } = this
    this.sentBytes += size
    series.count('send', binary, size)
    this.sent++
    span?.setAttribute(schema.ATTR_WEBSOCKET_MESSAGE_SEQUENCE, this.sent)
    const { options, metrics } = telemetry
    if (options.messageSizeMetric && metrics.recording)
      metrics.messageSize.record(size, { ...series.attributes, ...directed('send') })
  }

  /** Ends a span of the connection, once it knows the connection's id. */
  end(span: Span, endTime?: number): void {
    if (this.#parked !== undefined) {
      this.#parked.push({ span, endTime: endTime ?? Date.now() })
      return
    }
    // It may have started before the id was known.
    if (this.#wasAsked) span.setAttribute(schema.ATTR_WEBSOCKET_CONNECTION_ID, this.id as string)
    span.end(endTime)
  }

  /** The host did not take a message, or could not write it. */
  sendFailed(span: Span | undefined, error: unknown): void {
    if (span === undefined) return
    recordError(span, error)
    this.end(span)
  }

  /** What the callback of a send says: a message was written, or was not. */
  transmitted(span: Span | undefined, error: unknown): void {
    if (error === undefined || error === null) {
      if (span !== undefined) this.end(span)
      return
    }
    this.series.missed('error')
    this.sendFailed(span, error)
  }

  /** The application sent a message on a connection that is not open. */
  notSent(data: unknown, binary: boolean, size: number): void {
    this.series.missed('not_open')
    const span = this.sending(data, binary, size)
    if (span === undefined) return
    this.end(span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute(schema.ATTR_ERROR_TYPE, 'not_open'))
  }

  /** This side sent the first close frame. 1005 stands for a frame without a code. */
  closing(code = 1005, reason?: string): void {
    if (this.#openedAt === 0) {
      this.failed('abandoned')
      return
    }
    if (this.#sentCode !== undefined) return
    this.#sentCode = code
    this.#sentReason = reason
  }

  /** This side found an error of the protocol that this close code stands for. */
  failing(code: number | undefined): void {
    this.#failedCode ??= code
  }

  /** This side cuts the connection without a close frame. */
  terminating(): void {
    this.#terminated = true
    if (this.#openedAt === 0) this.failed('abandoned')
  }

  /** The connection has closed. The first call is told; later ones are ignored. */
  close(facts: CloseFacts): void {
    if (this.#openedAt === 0) this.failed('failed')
    if (this.#closed) return
    this.#closed = true
    this.onEnded?.()
    this.#identified()
    const { series, telemetry } = this
    const { options, metrics, tracer } = telemetry
    series.live.delete(this)
    const close = tellClose({
      sent: this.#sentCode,
      failed: this.#failedCode,
      terminated: this.#terminated,
      ...facts,
    })
    const now = performance.now()
    const isGoodbye = close.initiator === 'local' && (close.code === 1000 || close.code === 1001 || close.code === 1005)
    if (!isGoodbye) lose(this.#connect.target, { handshake: this.#connect.spanContext, at: now, attempts: 0 })
    const duration = (now - this.#openedAt) / 1000
    if (metrics.recording) {
      metrics.connectionDuration.record(duration, {
        ...series.attributes,
        [schema.ATTR_WEBSOCKET_CLOSE_CATEGORY]: close.category,
        [schema.ATTR_WEBSOCKET_CLOSE_INITIATOR]: close.initiator,
        [schema.ATTR_WEBSOCKET_CLOSE_CODE]: closeCodeLabel(close.code, options.closeCodes),
      })
    }
    const suffix = this.route === undefined ? '' : ` ${this.route}`
    const span = tracer?.startSpan(
      `close${suffix}`,
      { attributes: this.#identity(), links: this.#links() },
      withoutSpan(context.active()),
    )
    if (span === undefined) return
    if (span.isRecording()) {
      const reason = this.#sentCode === undefined ? facts.reason : this.#sentReason
      const text = options.closeReason && reason ? truncateUtf8(reason, 123) : undefined
      span.setAttributes(closeAttributes(close, text, duration, this))
      if (options.closeErrors.has(close.category)) {
        span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute(schema.ATTR_ERROR_TYPE, close.category)
      }
      if (options.onClose !== undefined) {
        const info: CloseInfo = { connectionId: this.id as string, ...close, reason, duration }
        const extra = telemetry.guard('onClose', options.onClose, span, info)
        if (extra) span.setAttributes(extra)
      }
    }
    span.end()
  }

  #startProcess(
    message: MessageName,
    reply: boolean,
    active: Context,
    remote: SpanContext | undefined,
  ): Span | undefined {
    const kind = reply ? SpanKind.SERVER : SpanKind.CONSUMER
    const base = withoutSpan(active)
    const trust = this.agreement?.trust
    if (remote === undefined || trust === 'ignore') return this.#start(message.process, kind, base, this.#links())
    if (trust === 'parent') {
      return this.#start(message.process, kind, withSpan(base, trace.wrapSpanContext(remote)), this.#links())
    }
    return this.#start(message.process, kind, base, [...this.#links(), { context: remote, attributes: MESSAGE_LINK }])
  }

  #start(name: string, kind: SpanKind, parent: Context, links: Link[]): Span | undefined {
    return this.telemetry.tracer?.startSpan(name, { kind, attributes: this.#identity(), links }, parent)
  }

  #terms(name?: string): Agreement {
    const trust = this.telemetry.options.remoteContext ?? 'parent'
    return agreementOf(trust, trust === 'parent', true, name)
  }

  /** The connection's id is known, or will not be told: one of our own does then. */
  #identified(id?: string): void {
    clearTimeout(this.#patience)
    const parked = this.#parked
    if (id !== undefined) this.#id = id
    this.#parked = undefined
    this.#attributes = undefined
    if (parked === undefined) return
    for (const { span, endTime } of parked) {
      span.setAttribute(schema.ATTR_WEBSOCKET_CONNECTION_ID, this.id as string).end(endTime)
    }
  }

  #describe(
    span: Span,
    message: MessageName,
    direction: 'receive' | 'send',
    data: unknown,
    binary: boolean,
    size: number,
    sequence?: number,
  ): void {
    describeMessage(span, message, binary, size, sequence)
    const { onMessage } = this.telemetry.options
    if (onMessage === undefined) return
    const info = { connectionId: this.id ?? '', direction, data, binary }
    const extra = this.telemetry.guard('onMessage', onMessage, span, info)
    if (extra) span.setAttributes(extra)
  }

  /** Attributes of every span of the connection. */
  #identity(): Attributes {
    this.#attributes ??= {
      ...(this.id !== undefined && { [schema.ATTR_WEBSOCKET_CONNECTION_ID]: this.id }),
      ...this.series.attributes,
      ...this.#extra,
    }
    return this.#attributes
  }

  #links(): Link[] {
    const handshake = this.#connect.spanContext
    this.#handshakeLinks ??= handshake === undefined ? NO_LINKS : [{ context: handshake, attributes: HANDSHAKE_LINK }]
    return this.#handshakeLinks
  }
}
