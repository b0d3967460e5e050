import {
  type Attributes,
  type Context,
  type HrTime,
  type Link,
  type Span,
  SpanKind,
  type SpanOptions,
} from '@opentelemetry/api'
import { activeContext } from '../api/context.ts'
import { addLinks, endSpan, idsOf, isRecording, setAttribute, setAttributes, startSpan } from '../api/span.ts'
import { currentCarrier, isUnsampled } from '../context/send-parent.ts'
import { withoutSpan, withSpan } from '../context/span-scope.ts'
import type { MessageDelivery } from '../metrics/series.ts'
import type { PartialMessage } from '../outgoing/batch.ts'
import { type Buffers, FlushPoller } from '../outgoing/flush-poller.ts'
import type { OutgoingMessage } from '../outgoing/message.ts'
import type { Sender } from '../outgoing/sender.ts'
import type { Carrier } from '../propagation/carrier.ts'
import { createCarrier, type PropagationTerms, textPayload } from '../propagation/terms.ts'
import { writeSlot } from '../protocols/slot.ts'
import {
  ATTR_WEBSOCKET_LINK_KIND,
  ATTR_WEBSOCKET_MESSAGE_SEQUENCE,
  ATTR_WEBSOCKET_MESSAGE_SIZE,
  ATTR_WEBSOCKET_MESSAGE_TYPE,
} from '../schema.ts'
import type { MessageName } from '../span/names.ts'
import type { AggregateWindow } from './aggregate.ts'
import { IncomingConnection } from './incoming.ts'

/** Operations share one name in the budget: theirs are not bounded before they are answered. */
const OPERATION = { key: 0 }
const RECEIVER_LINK = { [ATTR_WEBSOCKET_LINK_KIND]: 'receiver' }

/** A message for {@link OutgoingConnection.send}. */
export interface SentMessage {
  readonly data: unknown
  readonly binary: boolean
  /** Payload bytes, uncompressed; UTF-8 for text. */
  readonly size: number
  /** The name if the host knows it; else option `messageName` reads it. */
  readonly name?: string | undefined
}

/** The messages that a connection sends. */
export abstract class OutgoingConnection extends IncomingConnection implements Sender {
  sent = 0
  sentBytes = 0
  /** Messages that were sent as members of a broadcast. */
  broadcastSent = 0
  /** True if the host compresses or encrypts messages, so that it never writes them during the call of `send`. */
  defersWrites = false

  /**
   * Sends a message: starts its span, injects its context, calls `write`, counts the message and ends the span when its
   * bytes are flushed. Returns and throws what `write` returns and throws. Call `sendSkipped` instead if the connection
   * is not open.
   *
   * @param write hands the payload, which may contain the context now, to the host
   * @param buffers the host's socket, if it has a `bufferedAmount`: the span lasts until that is 0
   */
  send<R>({ data, binary, size, name }: SentMessage, write: (data: unknown) => R, buffers?: Buffers): R {
    const message = this.startSend(data, binary, size, name)
    const payload = this.terms === undefined || binary ? data : this.injectContext(data, message)
    let result: R
    try {
      result = write(payload)
    } catch (error) {
      message?.failed(error)
      throw error
    }
    const sequence = this.countSent(binary, size)
    if (message !== undefined) {
      message.sent(this, sequence)
      if (message.isFirst(this)) this.endWhenFlushed(message, buffers)
    }
    return result
  }

  /**
   * Starts an outgoing message. Returns `undefined` if it is only counted. Once the host has accepted it, call
   * `countSent` and then `sent` of the message; see `send` for the whole sequence.
   */
  startSend(data: unknown, binary: boolean, size: number, name?: string): OutgoingMessage | undefined {
    const { services } = this
    if (!services.active) return undefined
    return this.operations === undefined
      ? services.sendBatch.messageFor(this, data, binary, size, name)
      : this.startPlanned(this.operations, data, binary, size, name)
  }

  /** Starts an outgoing message of a connection with a protocol. */
  private startPlanned(
    operations: NonNullable<this['operations']>,
    data: unknown,
    binary: boolean,
    size: number,
    name: string | undefined,
  ): OutgoingMessage | undefined {
    if (operations.send(data, binary, size, this.operationHost)) return undefined
    const { services } = this
    const isNamed = name === undefined && services.options.messageName === undefined
    return services.sendBatch.messageFor(this, data, binary, size, isNamed ? operations.eventName : name)
  }

  /**
   * Starts a named message to this connection only. Its type and size are set by `encoded`. Returns `undefined` if it is
   * only counted.
   *
   * @param awaitsAck the peer will acknowledge it: the span lasts until then and its kind is CLIENT
   */
  startEvent(data: unknown, name: string, awaitsAck: boolean): OutgoingMessage | undefined {
    const { services } = this
    if (!services.active) return undefined
    const message = services.sendBatch.startEvent(this, data, name)
    if (awaitsAck) message?.awaitAck(this.pendingAcks())
    return message
  }

  /** As `startSend`, for the last fragment of a message. */
  startLastFragment(fragments: PartialMessage, size: number): OutgoingMessage | undefined {
    const { services } = this
    return services.active ? services.sendBatch.finishFragmented(this, fragments, size) : undefined
  }

  /** The remaining fragments of a message will not be sent. */
  abandonFragments(fragments: PartialMessage, error?: unknown): void {
    if (fragments.message !== undefined) this.services.sendBatch.abandonFragmented(fragments.message, error)
  }

  /**
   * Injects the context of a message into a text: returns the payload for the host. For connections with `terms`.
   *
   * @param message result of `startSend`
   */
  injectContext(data: unknown, message: OutgoingMessage | undefined): unknown {
    const { terms, operations } = this
    const text = textPayload(data)
    if (terms === undefined || text === undefined) return data
    if (terms.isDeclared && operations?.slot !== undefined) {
      const carrier = operations.isRequest ? this.plannedCarrier(terms) : undefined
      return carrier === undefined ? data : writeSlot(text, operations.slot, carrier)
    }
    if (!terms.member.canCarry(text)) return data
    if (message !== undefined) return message.injectContext(terms, data, text)
    return terms.member.inject(data, text, this.plannedCarrier(terms), false)
  }

  /** The carrier of a message that has no span, or that of its operation. */
  private plannedCarrier(terms: PropagationTerms): Carrier | undefined {
    const span = this.operations?.plannedSpan
    return span === undefined ? currentCarrier(terms) : createCarrier(idsOf(span), activeContext(), terms.sendsBaggage)
  }

  /** As `injectContext`, for the first fragment of a text that is not empty. */
  injectIntoFirstFragment(data: unknown, fragments: PartialMessage): unknown {
    const { terms, services } = this
    const text = textPayload(data)
    if (terms === undefined || text === undefined || !terms.member.canCarry(text)) return data
    if (services.active) fragments.message ??= services.sendBatch.startFragmented(this, fragments)
    const carrier = fragments.message?.carrier(terms) ?? currentCarrier(terms)
    return terms.member.inject(data, text, carrier, true)
  }

  /** Counts a message that the host has accepted. Returns its sequence number. */
  countSent(binary: boolean, size: number): number {
    const { series } = this
    this.activeAt = this.services.clock.now
    this.sentBytes += size
    series.sentBytes += size
    if (binary) series.sentBinary++
    else series.sentText++
    const { options, metrics } = this.services
    if (options.messageSizeMetric && metrics.recording) metrics.messageSize.record(size, series.directed('send'))
    const sequence = ++this.sent
    if (this.operations !== undefined) this.acceptedBy(this.operations, binary, size, sequence)
    return sequence
  }

  /** The host has accepted a message of a protocol. */
  private acceptedBy(
    operations: NonNullable<this['operations']>,
    binary: boolean,
    size: number,
    sequence: number,
  ): void {
    const span = operations.plannedSpan
    operations.accepted(size)
    if (!isRecording(span)) return
    this.countSendSpan(span, sequence)
    setAttribute(span, ATTR_WEBSOCKET_MESSAGE_TYPE, binary ? 'binary' : 'text')
    setAttribute(span, ATTR_WEBSOCKET_MESSAGE_SIZE, size)
    setAttribute(span, ATTR_WEBSOCKET_MESSAGE_SEQUENCE, sequence)
  }

  /** A message that has just been counted, and that no `OutgoingMessage` stands for, has this name. */
  countByName(name: string, binary: boolean, delivery: MessageDelivery): void {
    const { services, series } = this
    const { name: bounded } = services.named(name)
    if (bounded !== undefined && services.active && services.metrics.recording)
      series.sentNamed(bounded, binary, delivery)
  }

  /** The application sent a message while the connection is not open. */
  sendSkipped(data: unknown, binary: boolean, size: number, name?: string): void {
    this.series.notOpen++
    if (this.services.active) this.services.sendBatch.skipped(this, data, binary, size, name)
  }

  /** A `broadcast()` of the application skipped this connection because it is not open. */
  broadcastSkipped(): void {
    this.services.sendBatch.skippedInBroadcast(this)
  }

  /** The message of which fragments have been sent. */
  get partialSend(): PartialMessage | undefined {
    return this.rare?.partialSend
  }

  set partialSend(partial: PartialMessage | undefined) {
    this.rareState().partialSend = partial
  }

  /** True if errors of sends are counted. */
  get measuresSends(): boolean {
    return this.services.metrics.recording
  }

  /** Callback of sends without a callback of the application. */
  get onTransmitted(): (error?: unknown) => void {
    return this.series.onTransmitted
  }

  /** Ends the message's span when the host's buffers are empty, at the latest at the close. */
  endWhenFlushed(message: OutgoingMessage, buffers: Buffers | undefined): void {
    if (this.closed || buffers === undefined || buffers.bufferedAmount === 0) {
      message.flushed()
      return
    }
    const state = this.rareState()
    state.flushPoller ??= new FlushPoller()
    state.flushPoller.add(buffers, () => message.flushed())
  }

  /** True if what was sent before is written to the kernel, or never will be. */
  get isFlushed(): boolean {
    return this.closed || this.services.driver.bufferedAmount(this.socket) === 0
  }

  /** Calls back when what was sent before is written to the kernel. */
  whenFlushed(callback: () => void): void {
    const { driver } = this.services
    const { socket } = this
    const state = this.rareState()
    state.flushPoller ??= new FlushPoller()
    const buffers: Buffers = {
      get bufferedAmount() {
        return driver.bufferedAmount(socket)
      },
    }
    state.flushPoller.add(buffers, callback)
  }

  /** Starts a span of an operation that is not the one of a received message. */
  startOperationSpan(
    name: string,
    kind: SpanKind,
    attributes: Attributes,
    parent: Context | undefined,
    link?: Link,
  ): Span | undefined {
    const { tracer } = this.services
    if (tracer === undefined || isUnsampled(parent)) return undefined
    const all = { ...this.identity(), ...attributes }
    if (parent === undefined) return this.startRoot(name, OPERATION, { kind, attributes: all }, link)
    return this.takeInside(true) ? startSpan(tracer, name, { kind, attributes: all }, parent) : undefined
  }

  override endWindow(window: AggregateWindow): void {
    const { name } = window.name
    if (window.isOver || name === undefined) return
    window.isOver = true
    this.rare?.windows?.delete(name)
    this.services.windows?.delete(window)
    const { startTime } = window
    const span = this.startRoot(window.spanName, window.name, {
      kind: SpanKind.INTERNAL,
      attributes: { ...this.identity(), ...window.attributes },
      startTime,
    })
    endSpan(span, performance.now())
  }

  /** Records what option `aggregate` has of the connection, which ends. */
  protected endWindows(): void {
    for (const window of this.rare?.windows?.values() ?? []) this.endWindow(window)
  }

  /** Starts a span that starts a trace and is linked to the handshake, or is a child of the connection's span. */
  private startRoot(
    name: string,
    message: { readonly key: number },
    options: SpanOptions,
    link?: Link,
  ): Span | undefined {
    const { tracer } = this.services
    if (tracer === undefined || this.inheritsUnsampled()) return undefined
    if (!this.mayAsk(this.segment !== undefined) || !this.takeRoot(message)) return undefined
    const base = withoutSpan(activeContext())
    const segment = this.nextSegment()
    const links = segment === undefined ? this.handshakeLinks() : []
    if (link !== undefined) links.push(link)
    const parent = segment === undefined ? base : withSpan(base, segment)
    return this.decided(startSpan(tracer, name, { ...options, links }, parent))
  }

  isSendUntraced(message: MessageName): boolean {
    const { options } = this.services
    return (
      !options.messages || !options.outgoing || (options.ignore !== undefined && this.ignoresMessage(message, 'send'))
    )
  }

  startSendSpan(message: MessageName, startTime: HrTime, kind: SpanKind, undecided: boolean): Span | undefined {
    const { services } = this
    const { tracer } = services
    if (tracer === undefined || this.inheritsUnsampled()) return undefined
    if (!this.mayAsk(this.segment !== undefined) || !this.takeRoot(message)) return undefined
    const segment = this.nextSegment()
    const base = withoutSpan(activeContext())
    const parent = segment === undefined ? base : withSpan(base, segment)
    // While undecided, only a sampler that decides by the link needs it.
    const isLinked = segment === undefined && (!undecided || services.options.messageSampling === 'connection')
    const links = isLinked ? this.handshakeLinks() : []
    const attributes = undecided ? this.series.attributes : this.messageState().attributes
    return this.decided(startSpan(tracer, message.send, { kind, attributes, links, startTime }, parent))
  }

  /** The sampler has decided on a span that starts a trace. */
  private decided(span: Span | undefined): Span | undefined {
    if (!isRecording(span)) this.giveBack()
    return span
  }

  completeSendSpan(span: Span, isRoot: boolean): void {
    setAttributes(span, this.identity())
    if (isRoot && this.segment === undefined && this.services.options.messageSampling !== 'connection') {
      addLinks(span, this.handshakeLinks())
    }
  }

  receiverLinks(): Link[] {
    const context = this.handshakeContext()
    return context === undefined ? [] : [{ context, attributes: RECEIVER_LINK }]
  }

  countSendSpan(span: Span, sequence: number): void {
    this.messageState().counts.sent(span, sequence, this.sent, this.broadcastSent)
  }

  callSendHook(span: Span, data: unknown, binary: boolean): void {
    this.callMessageHook(span, 'send', data, binary)
  }
}
