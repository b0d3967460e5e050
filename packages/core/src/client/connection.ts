import {
  type Attributes,
  type AttributeValue,
  type Context,
  context,
  type Link,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  trace,
} from '@opentelemetry/api'
import { type CloseFacts, tellClose } from '../close.ts'
import { closeAttributes } from '../close-attributes.ts'
import { enclosing, enclosingSpan, isUnsampled } from '../enclosing.ts'
import { unref } from '../expiry.ts'
import { markFailed } from '../failure.ts'
import { withoutSpan, withSpan } from '../frame.ts'
import { describeMessage } from '../message.ts'
import type { MessageName } from '../names.ts'
import { recordError } from '../operation.ts'
import type { RemoteContext } from '../options.ts'
import { carrierFor, type InBand, readInBand, withBaggage } from '../propagation/agreement.ts'
import type { Carrier } from '../propagation/carrier.ts'
import type { Found } from '../propagation/carrier-text.ts'
import { AGREED_MEMBER, readHello } from '../propagation/negotiation.ts'
import { TextMember } from '../propagation/text-member.ts'
import { randomId } from '../random-id.ts'
import * as schema from '../schema.ts'
import type { Connect } from './connect.ts'
import { linkTo } from './link.ts'
import type { Buffering, ClientSeries } from './metrics.ts'
import { ClientProcess } from './process.ts'
import { lose } from './reconnects.ts'
import type { ClientTelemetry } from './telemetry.ts'

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

/** What both ends have agreed on, or the user has declared. */
interface ClientAgreement {
  readonly member: TextMember
}

const AGREED: ClientAgreement = { member: /* @__PURE__ */ new TextMember(AGREED_MEMBER) }

/** The record of one connection of a client. Holds numbers, texts and ids; never a span that has ended. */
export class ClientConnection implements ClientConnectionContext {
  readonly telemetry: ClientTelemetry
  /** `undefined` without metrics. */
  series: ClientSeries | undefined
  /** `undefined` while nothing is put into messages. */
  agreement: ClientAgreement | undefined
  subprotocol: string | undefined
  received = 0
  sent = 0
  receivedBytes = 0
  sentBytes = 0
  /** Called once when the connection is closed, or has not come about. */
  onEnded: (() => void) | undefined
  readonly #socket: Buffering
  readonly #connect: Connect
  readonly #links: Link[]
  readonly #trust: RemoteContext
  #id: string | undefined
  #extra: Attributes | undefined
  #attributes: Attributes | undefined
  #openedAt = 0
  #closed = false
  #sentCode: number | undefined
  #sentReason: string | undefined
  #patience: ReturnType<typeof setTimeout> | undefined
  #inBand: InBand | undefined
  /** The server was asked for the connection's id, so that spans may have started without it. */
  #wasAsked = false
  /** Spans that are over and wait for the connection's id, while the server has been asked for it and may answer. */
  #parked: { readonly span: Span; readonly endTime: number }[] | undefined

  constructor(connect: Connect, socket: Buffering) {
    this.telemetry = connect.telemetry
    const { propagation: mode, carrierName = AGREED_MEMBER, remoteContext = 'parent' } = this.telemetry.options
    if (mode === 'always') this.agreement = { member: new TextMember(carrierName) }
    this.#trust = remoteContext
    this.#connect = connect
    this.#socket = socket
    this.#links = linkTo(connect.spanContext, 'handshake')
    this.#join()
  }

  get id(): string | undefined {
    if (this.#parked === undefined) this.#id ??= randomId()
    return this.#id
  }

  get route(): string | undefined {
    return this.#connect.route
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
    const source =
      handshake === undefined || trace.getSpan(active) ? active : trace.setSpanContext(ROOT_CONTEXT, handshake)
    propagation.inject(source, carrier)
    return carrier
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
    if (this.telemetry.options.propagation !== 'always') this.agreement = AGREED
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
  unwrap(text: string): string {
    const found = this.agreement?.member.remove(text)
    return found === undefined ? text : this.found(found)
  }

  /** Takes what was found at the front of a text, and returns the text without it. */
  found<T>({ payload, carrier, problem }: Found<T>): T {
    this.carried(readInBand(carrier, problem))
    return payload
  }

  /** What came in with a message, for the next `receive`. For hosts whose messages are no texts. */
  carried(inBand: InBand | undefined): void {
    this.#inBand = inBand
    if (inBand?.problem !== undefined) this.telemetry.carrierRefused(inBand.problem)
  }

  /** What a message carries: the context of its span, else of the span that is active. */
  carrier(span: Span | undefined): Carrier | undefined {
    const active = context.active()
    return carrierFor((span ?? enclosingSpan(active))?.spanContext(), active, true)
  }

  /**
   * Puts the context of a message into its text.
   *
   * @param span of the message; without one the context is that of the span that is active
   */
  wrap(text: string, span: Span | undefined): string {
    return this.agreement === undefined ? text : this.agreement.member.wrap(text, this.carrier(span))
  }

  /** The connection is open. */
  opened(subprotocol?: string, status?: number): void {
    if (this.#openedAt !== 0 || this.#closed) return
    this.#openedAt = performance.now()
    this.telemetry.refresh()
    this.subprotocol = subprotocol || undefined
    this.#attributes = undefined
    this.#join()
    this.series?.opened(this.#socket, this.#connect.replaced !== undefined)
    this.#connect.settle('accepted', status, undefined, (span, endTime) =>
      this.end(span.setAttributes(this.#identity()), endTime),
    )
    if (this.#parked !== undefined) this.#patience = unref(setTimeout(() => this.#identified(), HELLO_PATIENCE))
  }

  /** The connection did not open, and will not. */
  failed(outcome: 'rejected' | 'abandoned' | 'failed', status?: number, error?: unknown): void {
    if (this.#openedAt !== 0 || this.#closed) return
    this.#closed = true
    this.onEnded?.()
    this.#parked = undefined
    this.#connect.settle(outcome, status, error)
  }

  /**
   * A message arrived and is about to be dispatched. Counts it. Returns the process that its handlers run in, or
   * `undefined` when it can go its way untouched.
   *
   * @param named its name, where the host knows it
   */
  receive(data: unknown, binary: boolean, size: number, named?: MessageName, reply = false): ClientProcess | undefined {
    this.received++
    this.receivedBytes += size
    const inBand = this.#inBand
    this.#inBand = undefined
    const { series, telemetry } = this
    const { options } = telemetry
    series?.count('receive', binary, size, options.messageSizeMetric)
    if (telemetry.dark) return undefined
    const message = named ?? telemetry.nameOf(data, binary, this.route)
    const trust = this.#trust
    let active = context.active()
    if (trust === 'parent') active = withBaggage(active, inBand?.baggage)
    let span: Span | undefined
    if (options.messages) {
      const remote = trust === 'ignore' ? undefined : inBand?.spanContext
      const isParent = remote !== undefined && trust === 'parent'
      const base = withoutSpan(active)
      span = this.#start(
        message.process,
        reply ? SpanKind.SERVER : SpanKind.CONSUMER,
        isParent ? withSpan(base, trace.wrapSpanContext(remote)) : base,
        remote === undefined || isParent ? this.#links : [...this.#links, ...linkTo(remote, 'message')],
      )
    }
    if (span === undefined && !series?.recording) return undefined
    if (span?.isRecording()) {
      this.#describe(span, message, 'receive', data, binary, size, this.received)
      if (inBand?.problem !== undefined) span.setAttribute(schema.ATTR_WEBSOCKET_MESSAGE_CARRIER_ERROR, inBand.problem)
    }
    return new ClientProcess(series, message, active, span)
  }

  /**
   * A message is about to be handed to the host. Returns its span, or `undefined` when it is only counted.
   *
   * @param named its name, where the host knows it
   */
  sending(data: unknown, binary: boolean, size: number, named?: MessageName, reply = false): Span | undefined {
    const { telemetry } = this
    if (telemetry.dark || !telemetry.options.messages || !telemetry.options.outgoing) return undefined
    const active = context.active()
    const parent = enclosing(active)
    // What is sent under a span that is not sampled inherits its decision, which saves every further step.
    if (isUnsampled(parent)) return undefined
    const message = named ?? telemetry.nameOf(data, binary, this.route)
    const span = this.#start(
      message.send,
      reply ? SpanKind.CLIENT : SpanKind.PRODUCER,
      parent ?? withoutSpan(active),
      parent ? [] : this.#links,
    )
    if (span?.isRecording()) this.#describe(span, message, 'send', data, binary, size)
    return span
  }

  /** The host has taken a message: it is counted, and its span knows its place. */
  taken(span: Span | undefined, binary: boolean, size: number): void {
    this.sent++
    this.sentBytes += size
    this.series?.count('send', binary, size, this.telemetry.options.messageSizeMetric)
    span?.setAttribute(schema.ATTR_WEBSOCKET_MESSAGE_SEQUENCE, this.sent)
  }

  /** Ends a span of the connection, once it knows the connection's id. */
  end(span: Span | undefined, endTime?: number): void {
    if (this.#parked !== undefined) {
      if (span !== undefined) this.#parked.push({ span, endTime: endTime ?? Date.now() })
      return
    }
    // It may have started before the id was known.
    if (this.#wasAsked) span?.setAttribute(schema.ATTR_WEBSOCKET_CONNECTION_ID, this.id as string)
    span?.end(endTime)
  }

  /** The host did not take a message, or could not write it. */
  sendFailed(span: Span | undefined, error: unknown): void {
    if (span !== undefined) recordError(span, error)
    this.end(span)
  }

  /** The application sent a message on a connection that is not open. */
  notSent(data: unknown, binary: boolean, size: number): void {
    this.series?.missed('not_open')
    const span = this.sending(data, binary, size)
    this.end(span && markFailed(span, 'not_open'))
  }

  /** This side sent the first close frame. 1005 stands for a frame without a code. */
  closing(code = 1005, reason?: string): void {
    this.failed('abandoned')
    if (this.#sentCode !== undefined) return
    this.#sentCode = code
    this.#sentReason = reason
  }

  /** The connection has closed. The first call is told; later ones are ignored. */
  close(facts: CloseFacts): void {
    this.failed('failed')
    if (this.#closed) return
    this.#closed = true
    this.onEnded?.()
    this.#identified()
    const { telemetry, route } = this
    const { options } = telemetry
    const close = tellClose({ sent: this.#sentCode, ...facts })
    const { code, category, initiator } = close
    const now = performance.now()
    const { target, spanContext } = this.#connect
    if (initiator !== 'local' || (code !== 1000 && code !== 1001 && code !== 1005)) {
      lose({ target, handshake: spanContext, at: now, attempts: 0 })
    }
    const duration = (now - this.#openedAt) / 1000
    this.series?.closed(this.#socket, duration, close, options.closeCodes)
    const base = withoutSpan(context.active())
    const span = this.#start(route === undefined ? 'close' : `close ${route}`, SpanKind.INTERNAL, base, this.#links)
    if (span?.isRecording()) {
      const reason = this.#sentCode === undefined ? facts.reason : this.#sentReason
      span.setAttributes(closeAttributes(close, (options.closeReason && reason) || undefined, duration, this))
      if (options.closeErrors.has(category)) markFailed(span, category)
      const { onClose } = options
      if (onClose !== undefined) {
        telemetry.describe('onClose', onClose, span, { connectionId: this.id as string, ...close, reason, duration })
      }
    }
    span?.end()
  }

  #start(name: string, kind: SpanKind, parent: Context, links: Link[]): Span | undefined {
    return this.telemetry.tracer?.startSpan(name, { kind, attributes: this.#identity(), links }, parent)
  }

  /** The series of the connection, as far as it is known what it has in common with others. */
  #join(): void {
    this.series = this.telemetry.metrics?.series(this.route, this.#connect.namespace, this.subprotocol)
  }

  /** The connection's id is known, or will not be told: one of our own does then. */
  #identified(id?: string): void {
    clearTimeout(this.#patience)
    const parked = this.#parked
    if (id !== undefined) this.#id = id
    this.#parked = undefined
    this.#attributes = undefined
    for (const { span, endTime } of parked ?? []) this.end(span, endTime)
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
    this.telemetry.describe('onMessage', onMessage, span, { connectionId: this.id ?? '', direction, data, binary })
  }

  /** Attributes of every span of the connection. */
  #identity(): Attributes {
    this.#attributes ??= {
      [schema.ATTR_WEBSOCKET_CONNECTION_ID]: this.id,
      [schema.ATTR_WEBSOCKET_ROUTE]: this.route,
      [schema.ATTR_WEBSOCKET_NAMESPACE]: this.#connect.namespace,
      [schema.ATTR_WEBSOCKET_SUBPROTOCOL]: this.subprotocol,
      ...this.#extra,
    }
    return this.#attributes
  }
}
