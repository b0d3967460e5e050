import {
  type Attributes,
  type Context,
  type Link,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanOptions,
} from '@opentelemetry/api'
import { activeContext } from '../api/context.ts'
import { endSpan, idsOf, isRecording, setAttribute, setAttributes, startSpan } from '../api/span.ts'
import { closeAttributes } from '../close/attributes.ts'
import { CLOSE_ERRORS, type CloseFacts, resolveClose } from '../close/close.ts'
import { Operation } from '../context/operation.ts'
import { activeIds, adoptsOneMore, isCausedByAnother, isUnsampled, sendParent } from '../context/send-parent.ts'
import { spanOf, withoutSpan } from '../context/span-scope.ts'
import { withoutToken } from '../options/token.ts'
import * as schema from '../schema.ts'
import { describeMessage } from '../span/describe.ts'
import { markFailed, recordError } from '../span/failure.ts'
import { type MessageName, messageName, spanName } from '../span/names.ts'
import { randomId } from '../span/random-id.ts'
import type { Connect } from './connect.ts'
import type { ClientConnectionContext } from './connection-context.ts'
import { linkTo } from './link.ts'
import type { MessageContext } from './message-context.ts'
import type { Buffering, ClientSeries } from './metrics.ts'
import { MAX_CHILD_SPANS } from './options.ts'
import { ClientProcess } from './process.ts'
import { connectedPropagation } from './propagation.ts'
import type { ClientReading, Incoming } from './reading.ts'
import { lose } from './reconnects.ts'
import type { ClientTelemetry } from './telemetry.ts'

/** The members of a client's socket that are used. */
interface Socket extends Buffering {
  /** Of sockets that may ask for context in messages in its query. */
  readonly url?: string
}

/** What decides the kind of a send's span. */
interface SendKind {
  readonly carries?: boolean
  readonly awaitsReply?: boolean
}

const ANY_SEND: SendKind = {}

/** One connection of a client. It holds numbers, strings and ids; never a span that has ended. */
export class ClientConnection {
  readonly telemetry: ClientTelemetry
  /** `undefined` without metrics. */
  series: ClientSeries | undefined
  /** `undefined` if context in messages is not used. */
  readonly messages: MessageContext | undefined
  subprotocol: string | undefined
  /** Reads the messages as operations of a protocol; `undefined` for connections without one. */
  operations: ClientReading | undefined
  newestPending: Operation | undefined
  received = 0
  sent = 0
  receivedBytes = 0
  sentBytes = 0
  /** Called once when the connection is closed, or has not come about. */
  onEnded: (() => unknown) | undefined
  /** The view for the application, created on first use. */
  view: ClientConnectionContext | undefined
  /** Of the connect span. */
  readonly spanContext: SpanContext | undefined
  readonly #socket: Socket
  readonly #connect: Connect
  /** Of spans that start a trace. */
  readonly links: Link[]
  readonly unnamed: MessageName
  #id: string | undefined
  #extra: Attributes | undefined
  #attributes: Attributes | undefined
  #openedAt = 0
  #closed = false
  /** This side closed it first, with this code. */
  #leaving: Pick<CloseFacts, 'sent' | 'reason'> | undefined
  /** The span whose code closed it. */
  #closeCause: SpanContext | undefined

  constructor(connect: Connect, socket: Socket) {
    this.telemetry = connect.telemetry
    this.#connect = connect
    this.#socket = socket
    this.spanContext = connect.spanContext
    this.links = linkTo(this.spanContext, 'handshake')
    this.unnamed = messageName(undefined, connect.route)
    this.messages = connectedPropagation()?.messageContext(this, socket.url)
    this.#join()
  }

  get id(): string | undefined {
    if (!this.messages?.awaitsId) this.#id ??= randomId()
    return this.#id
  }

  get route(): string | undefined {
    return this.#connect.route
  }

  /** Id of the connect span of the connection that this one replaces. */
  get replacedSpanId(): string | undefined {
    return this.#connect.replaced?.handshake?.spanId
  }

  /** True once the connection has closed, or could not be made. */
  get closed(): boolean {
    return this.#closed
  }

  /** Sets attributes of every later span. */
  setAttributes(attributes: Attributes): void {
    // New objects: those before may belong to a span by now.
    this.#extra = { ...this.#extra, ...attributes }
    this.#attributes = undefined
  }

  /** Sets the id that the server has sent; without one, an id of this side is used. */
  identify(id: string | undefined): void {
    this.#id ??= id
    this.#attributes = undefined
  }

  /** The connection is open. */
  opened(subprotocol?: string, known?: Attributes): void {
    if (this.#openedAt !== 0 || this.#closed) return
    this.#openedAt = performance.now()
    this.telemetry.refresh()
    // Clients that cannot set headers offer tokens here, and servers may answer with one.
    this.subprotocol = subprotocol ? withoutToken(subprotocol) : undefined
    this.#attributes = undefined
    this.operations = this.telemetry.options.operations?.(this)
    this.#join()
    this.series?.opened(this.#socket, this.#connect.replaced !== undefined)
    this.#connect.settle('accepted', known, undefined, (span, endTime) => {
      setAttributes(span, this.#identity())
      this.end(span, endTime)
    })
    this.messages?.opened()
  }

  /** The connection did not open, and will not. */
  failed(outcome: 'rejected' | 'abandoned' | 'failed', known?: Attributes, error?: unknown): void {
    if (this.#openedAt !== 0 || this.#closed) return
    this.#closed = true
    this.onEnded?.()
    this.#connect.settle(outcome, known, error)
  }

  /**
   * A message arrived and is about to be dispatched. Counts it. Returns the process that its handlers run in, or
   * `undefined` when it can go its way untouched.
   *
   * @param named its name, where the host knows it
   * @param awaitsReply the server waits for an answer
   */
  startReceive(
    data: unknown,
    binary: boolean,
    size: number,
    named?: MessageName,
    awaitsReply = false,
  ): ClientProcess | undefined {
    this.received++
    this.receivedBytes += size
    const { series, telemetry, messages } = this
    const { options } = telemetry
    series?.count('receive', binary, size, options.messageSizeMetric)
    const incoming = messages?.take(activeContext(), this.links)
    const { around } = options
    if (!telemetry.active) {
      if (around === undefined) return undefined
      return new ClientProcess(this, undefined, named ?? this.nameOf(data, binary), activeContext(), undefined)
    }
    const planned = this.operations?.receive({ data, binary, size, incoming })
    if (planned !== undefined) return planned
    const message = named ?? this.nameOf(data, binary)
    const active = incoming?.active ?? activeContext()
    const span = options.messages === false ? undefined : this.#startProcessSpan(message, active, incoming, awaitsReply)
    if (span === undefined && !series?.recording && around === undefined) return undefined
    if (isRecording(span)) {
      this.describe(span, message, 'receive', data, binary, size, this.received)
      if (incoming?.problem) setAttribute(span, schema.ATTR_WEBSOCKET_MESSAGE_CARRIER_ERROR, incoming.problem)
    }
    return new ClientProcess(this, series, message, active, span)
  }

  #startProcessSpan(
    message: MessageName,
    active: Context,
    incoming: Incoming | undefined,
    awaitsReply: boolean,
  ): Span | undefined {
    const isMessaging = this.telemetry.options.spanKinds === 'messaging'
    const isPartner = incoming?.isPartner === true
    const oneWay = isPartner || isMessaging ? SpanKind.CONSUMER : SpanKind.INTERNAL
    // Service graphs look for the partner of a CONSUMER span among its links, if it has any.
    const links = isPartner && !awaitsReply && !isMessaging ? [] : (incoming?.links ?? this.links)
    // Of a broadcast that awaits answers, no recipient is the one partner.
    const isOneOfMany = incoming?.isShared === true && !isMessaging
    const kind = awaitsReply && !isOneOfMany ? SpanKind.SERVER : oneWay
    return this.startSpan(message.process, kind, incoming?.parent ?? withoutSpan(active), links)
  }

  /**
   * A message is about to be handed to the host. Returns its span, or `undefined` when it is only counted.
   *
   * @param named its name, where the host knows it
   * @param carries a context goes out with it
   * @param awaitsReply the server will answer it
   */
  startSend(
    data: unknown,
    binary: boolean,
    size: number,
    named?: MessageName,
    { carries = this.messages?.carries(data, binary) === true, awaitsReply = false }: SendKind = ANY_SEND,
  ): Span | undefined {
    if (!this.telemetry.active || this.operations?.send(data, binary, size)) return undefined
    const message = named ?? this.nameOf(data, binary)
    const span = this.#startSendSpan(message, this.#sendKind(carries, awaitsReply))
    if (isRecording(span)) this.describe(span, message, 'send', data, binary, size)
    return span
  }

  /**
   * As `startSend`, for a message that is sent in fragments: nothing is read of it.
   *
   * @param startedAt when its first fragment was sent, in milliseconds on the monotonic clock
   * @param carries a context goes out with it
   */
  startFragmentedSend(binary: boolean, size: number, startedAt: number, carries: boolean): Span | undefined {
    if (!this.telemetry.active) return undefined
    const kind = this.#sendKind(carries, false)
    const span = this.#startSendSpan(this.unnamed, kind, Date.now() - (performance.now() - startedAt))
    if (isRecording(span)) this.describe(span, this.unnamed, 'send', undefined, binary, size)
    return span
  }

  #sendKind(carries: boolean, awaitsReply: boolean): SpanKind {
    if (!carries && this.telemetry.options.spanKinds !== 'messaging') return SpanKind.INTERNAL
    return awaitsReply ? SpanKind.CLIENT : SpanKind.PRODUCER
  }

  #startSendSpan(message: MessageName, kind: SpanKind, startTime?: number): Span | undefined {
    const { messages, outgoing, maxChildSpans = MAX_CHILD_SPANS } = this.telemetry.options
    if (messages === false || outgoing === false) return undefined
    const active = activeContext()
    const parent = sendParent(active)
    // A message under a span that is not sampled inherits its decision.
    if (isUnsampled(parent)) return undefined
    const receiver = isCausedByAnother(active, this) ? this.spanContext : undefined
    const isAdopted = parent !== undefined && adoptsOneMore(active, maxChildSpans)
    const links = isAdopted
      ? linkTo(receiver, 'receiver')
      : [...this.links, ...linkTo(idsOf(parent && spanOf(parent)), 'cause')]
    return this.startSpan(message.send, kind, isAdopted ? parent : withoutSpan(active), links, startTime)
  }

  /** The name of a message: what option `messageName` finds, else that of its protocol's event. */
  nameOf(data: unknown, binary: boolean): MessageName {
    const { operations, telemetry } = this
    if (operations?.isSecret) return this.unnamed
    return telemetry.nameOf(data, binary) ?? operations?.eventName ?? this.unnamed
  }

  /** The host has taken a message: it is counted, and its span knows its place. */
  sendAccepted(span: Span | undefined, binary: boolean, size: number): void {
    this.sent++
    this.sentBytes += size
    this.series?.count('send', binary, size, this.telemetry.options.messageSizeMetric)
    this.operations?.accepted(binary, size)
    setAttribute(span, schema.ATTR_WEBSOCKET_MESSAGE_SEQUENCE, this.sent)
  }

  /** Ends a span of the connection, once it knows the connection's id. */
  end(span: Span | undefined, endTime?: number): void {
    if (span !== undefined && !this.messages?.defersEnd(span, endTime)) endSpan(span, endTime)
  }

  /** The host did not take a message, or could not write it. */
  sendFailed(span: Span | undefined, error: unknown): void {
    this.operations?.refused()
    if (span !== undefined) recordError(span, error)
    this.end(span)
  }

  /** The application sent a message on a connection that is not open. */
  sendSkipped(data: unknown, binary: boolean, size: number): void {
    this.series?.missed('not_open')
    const span = this.startSend(data, binary, size)
    this.end(span && markFailed(span, 'not_open'))
  }

  /** This side sent the first close frame. 1005 stands for a frame without a code. */
  closeFrameSent(code = 1005, reason?: string): void {
    this.failed('abandoned')
    this.closeCalled()
    this.#leaving ??= { sent: code, reason }
  }

  /** Code of this side closes the connection: its close is linked to the span that is active now. */
  closeCalled(): void {
    this.#closeCause ??= activeIds()
  }

  /** The connection has closed. Later calls do nothing. */
  close(facts: CloseFacts): void {
    this.failed('failed')
    if (this.#closed) return
    this.#closed = true
    this.onEnded?.()
    this.messages?.settleId()
    this.operations?.close()
    Operation.disconnectAll(this, undefined)
    const { telemetry, route } = this
    const { options } = telemetry
    const all = { ...facts, ...this.#leaving }
    const close = resolveClose(all)
    const { code, category, initiator } = close
    if (initiator !== 'local' || (code !== 1000 && code !== 1001 && code !== 1005)) {
      lose(this.#connect.target, this.spanContext)
    }
    const duration = (performance.now() - this.#openedAt) / 1000
    this.series?.closed(this.#socket, duration, close, options.closeCodes)
    const base = withoutSpan(activeContext())
    const links = [...this.links, ...linkTo(this.#closeCause, 'cause')]
    const span = this.startSpan(spanName('close', route), SpanKind.INTERNAL, base, links)
    if (isRecording(span)) {
      const { reason } = all
      setAttributes(
        span,
        closeAttributes(
          close,
          (options.closeReason && reason) || undefined,
          duration,
          this,
          this.#connect.networkTransport,
        ),
      )
      if ((options.closeErrors ?? CLOSE_ERRORS).includes(category)) markFailed(span, category)
      const { onClose } = options
      if (onClose !== undefined) {
        telemetry.describe('onClose', onClose, span, { connectionId: this.id as string, ...close, reason, duration })
      }
    }
    endSpan(span)
  }

  /** Starts a span with the attributes of the connection. */
  startSpan(name: string, kind: SpanKind, parent: Context, links: Link[], startTime?: number): Span | undefined {
    const options: SpanOptions = { kind, attributes: this.#identity(), links }
    if (startTime !== undefined) options.startTime = startTime
    return startSpan(this.telemetry.tracer, name, options, parent)
  }

  /** The series of the connection, as far as it is known what it has in common with others. */
  #join(): void {
    this.series = this.telemetry.metrics?.series(this.route, this.#connect.namespace, this.subprotocol)
  }

  /** Puts the attributes of a message on its span, and what hook `onMessage` returns. */
  describe(
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
    if (onMessage === undefined || this.operations?.isSecret) return
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
