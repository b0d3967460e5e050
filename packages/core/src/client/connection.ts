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
  type SpanOptions,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import { type CloseFacts, closeCodeLabel, tellClose, truncateUtf8 } from '../close.ts'
import { closeAttributes } from '../close-attributes.ts'
import { withoutSpan } from '../frame.ts'
import { describeMessage } from '../message.ts'
import type { MessageName } from '../names.ts'
import { recordError } from '../operation.ts'
import type { CloseInfo } from '../options.ts'
import { Process } from '../process.ts'
import { randomId } from '../random-id.ts'
import * as schema from '../schema.ts'
import { enclosing, isUnsampled } from '../transmission.ts'
import type { Connect } from './connect.ts'
import { type ClientSeries, directed } from './metrics.ts'
import { lose } from './reconnects.ts'
import type { ClientTelemetry } from './telemetry.ts'

const HANDSHAKE_LINK: Attributes = { [schema.ATTR_WEBSOCKET_LINK_KIND]: 'handshake' }

/** What an application can reach of a connection of its client: `connectionOf(socket)`. */
export interface ClientConnectionContext {
  /** 16 hex digits; `websocket.connection.id` of every span. */
  readonly id: string
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
  #options: SpanOptions | undefined
  #openedAt = 0
  #closed = false
  #sentCode: number | undefined
  #sentReason: string | undefined
  #failedCode: number | undefined
  #terminated = false

  constructor(connect: Connect, socket: { readonly bufferedAmount?: number }) {
    this.telemetry = connect.telemetry
    this.#connect = connect
    this.#socket = socket
    this.series = this.telemetry.metrics.series(connect.route, connect.namespace)
  }

  get id(): string {
    this.#id ??= randomId()
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

  setAttribute(key: string, value: AttributeValue): this {
    return this.setAttributes({ [key]: value })
  }

  setAttributes(attributes: Attributes): this {
    // New objects: those before may belong to a span by now.
    this.#extra = { ...this.#extra, ...attributes }
    this.#attributes = undefined
    this.#options = undefined
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

  /** The connection is open. */
  opened(subprotocol?: string, status?: number): void {
    if (this.#openedAt !== 0 || this.#closed) return
    this.#openedAt = performance.now()
    this.telemetry.refresh()
    this.series = this.telemetry.metrics.series(this.route, this.#connect.namespace, subprotocol)
    this.series.live.add(this)
    if (this.#connect.replaced !== undefined) this.series.reconnects++
    const connected = this.#connect.settle('accepted', status, undefined, this.#identity())
    connected?.span.end(connected.endTime)
  }

  /** The connection did not open, and will not. */
  failed(outcome: 'rejected' | 'abandoned' | 'failed', status?: number, error?: unknown): void {
    if (this.#openedAt !== 0 || this.#closed) return
    this.#closed = true
    this.onEnded?.()
    const connected = this.#connect.settle(outcome, status, error)
    connected?.span.end(connected.endTime)
  }

  /**
   * A message arrived and is about to be dispatched. Counts it. Returns the operation that its handlers run in, or
   * `undefined` when it can go its way untouched.
   */
  receive(data: unknown, binary: boolean, size: number, name?: string, reply = false): Process | undefined {
    const sequence = ++this.received
    this.receivedBytes += size
    const { series, telemetry } = this
    series.count('receive', binary, size)
    if (telemetry.dark) return undefined
    const { options, metrics } = telemetry
    if (options.messageSizeMetric) metrics.messageSize.record(size, { ...series.attributes, ...directed('receive') })
    const message = name === undefined ? telemetry.nameOf(data, binary, this.route) : telemetry.named(name)
    const active = context.active()
    const span = options.messages
      ? this.#start(message.process, reply ? SpanKind.SERVER : SpanKind.CONSUMER, undefined, active)
      : undefined
    if (span === undefined && !metrics.recording) return undefined
    if (span?.isRecording()) this.#describe(span, message, 'receive', data, binary, size, sequence)
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
    const span = this.#start(message.send, reply ? SpanKind.CLIENT : SpanKind.PRODUCER, parent, active)
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

  /** The host did not take a message, or could not write it. */
  sendFailed(span: Span | undefined, error: unknown): void {
    if (span === undefined) return
    recordError(span, error)
    span.end()
  }

  /** What the callback of a send says: a message was written, or was not. */
  transmitted(span: Span | undefined, error: unknown): void {
    if (error === undefined || error === null) {
      span?.end()
      return
    }
    this.series.missed('error')
    this.sendFailed(span, error)
  }

  /** The application sent a message on a connection that is not open. */
  notSent(data: unknown, binary: boolean, size: number): void {
    this.series.missed('not_open')
    const span = this.sending(data, binary, size)
    span?.setStatus({ code: SpanStatusCode.ERROR }).setAttribute(schema.ATTR_ERROR_TYPE, 'not_open').end()
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
        const info: CloseInfo = { connectionId: this.id, ...close, reason, duration }
        const extra = telemetry.guard('onClose', options.onClose, span, info)
        if (extra) span.setAttributes(extra)
      }
    }
    span.end()
  }

  #start(name: string, kind: SpanKind, parent: Context | undefined, active: Context): Span | undefined {
    const { tracer } = this.telemetry
    if (tracer === undefined) return undefined
    const attributes = this.#identity()
    if (parent !== undefined) return tracer.startSpan(name, { kind, attributes }, parent)
    this.#options ??= { attributes, links: this.#links() }
    return tracer.startSpan(name, { ...this.#options, kind }, withoutSpan(active))
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
    const info = { connectionId: this.id, direction, data, binary }
    const extra = this.telemetry.guard('onMessage', onMessage, span, info)
    if (extra) span.setAttributes(extra)
  }

  /** Attributes of every span of the connection. */
  #identity(): Attributes {
    this.#attributes ??= {
      [schema.ATTR_WEBSOCKET_CONNECTION_ID]: this.id,
      ...this.series.attributes,
      ...this.#extra,
    }
    return this.#attributes
  }

  #links(): Link[] {
    const handshake = this.#connect.spanContext
    return handshake === undefined ? [] : [{ context: handshake, attributes: HANDSHAKE_LINK }]
  }
}
