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
import { enclosing, isUnsampled } from '../enclosing.ts'
import { markFailed } from '../failure.ts'
import { withoutSpan } from '../frame.ts'
import { describeMessage } from '../message.ts'
import { type MessageName, messageName } from '../names.ts'
import { recordError } from '../operation.ts'
import { randomId } from '../random-id.ts'
import * as schema from '../schema.ts'
import type { Connect } from './connect.ts'
import { linkTo } from './link.ts'
import type { MessageContext } from './message-context.ts'
import { messageContextInUse } from './message-context-use.ts'
import type { Buffering, ClientSeries } from './metrics.ts'
import { ClientProcess } from './process.ts'
import { lose } from './reconnects.ts'
import type { ClientTelemetry } from './telemetry.ts'

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
  /** `undefined` without metrics. */
  series: ClientSeries | undefined
  /** `undefined` where nobody has asked for context in messages. */
  readonly messages: MessageContext | undefined
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
  readonly #unnamed: MessageName
  #id: string | undefined
  #extra: Attributes | undefined
  #attributes: Attributes | undefined
  #openedAt = 0
  #closed = false
  #sentCode: number | undefined
  #sentReason: string | undefined

  constructor(connect: Connect, socket: Buffering) {
    this.telemetry = connect.telemetry
    this.#connect = connect
    this.#socket = socket
    this.#links = linkTo(connect.spanContext, 'handshake')
    this.#unnamed = messageName(undefined, connect.route)
    this.messages = messageContextInUse()?.(this)
    this.#join()
  }

  get id(): string | undefined {
    if (!this.messages?.awaitsId) this.#id ??= randomId()
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

  /** The server has told the connection's id, or will not: one of our own does then. */
  identify(id: string | undefined): void {
    this.#id ??= id
    this.#attributes = undefined
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
    this.messages?.opened()
  }

  /** The connection did not open, and will not. */
  failed(outcome: 'rejected' | 'abandoned' | 'failed', status?: number, error?: unknown): void {
    if (this.#openedAt !== 0 || this.#closed) return
    this.#closed = true
    this.onEnded?.()
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
    const { series, telemetry, messages } = this
    const { options } = telemetry
    series?.count('receive', binary, size, options.messageSizeMetric)
    const incoming = messages?.take(context.active(), this.#links)
    if (telemetry.dark) return undefined
    const message = named ?? telemetry.nameOf(data, binary) ?? this.#unnamed
    const active = incoming?.active ?? context.active()
    const span = options.messages
      ? this.#start(
          message.process,
          reply ? SpanKind.SERVER : SpanKind.CONSUMER,
          incoming?.parent ?? withoutSpan(active),
          incoming?.links ?? this.#links,
        )
      : undefined
    if (span === undefined && !series?.recording) return undefined
    if (span?.isRecording()) {
      this.#describe(span, message, 'receive', data, binary, size, this.received)
      if (incoming?.problem) span.setAttribute(schema.ATTR_WEBSOCKET_MESSAGE_CARRIER_ERROR, incoming.problem)
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
    const message = named ?? telemetry.nameOf(data, binary) ?? this.#unnamed
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
    if (span !== undefined && !this.messages?.parks(span, endTime)) span.end(endTime)
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
    this.messages?.settleId()
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
