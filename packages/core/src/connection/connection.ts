import {
  type Attributes,
  type AttributeValue,
  type Context,
  context,
  type HrTime,
  type Link,
  propagation,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanOptions,
  TraceFlags,
  trace,
} from '@opentelemetry/api'
import { closeAttributes } from '../close/attributes.ts'
import { type Close, type CloseFacts, closeCodeLabel, resolveClose, truncateUtf8 } from '../close/close.ts'
import { currentCarrier } from '../context/send-parent.ts'
import { withoutSpan, withSpan } from '../context/span-scope.ts'
import type { LiveConnection, Series } from '../metrics/set.ts'
import type { CloseInfo } from '../options/types.ts'
import { type Buffers, FlushPoller } from '../outgoing/flush-poller.ts'
import type { OutgoingMessage } from '../outgoing/message.ts'
import {
  type IncomingContext,
  type PropagationTerms,
  parseCarrier,
  parseHookCarrier,
  textPayload,
  withBaggage,
} from '../propagation/terms.ts'
import * as schema from '../schema.ts'
import { describeMessage, describeName } from '../span/describe.ts'
import { markFailed } from '../span/failure.ts'
import { type MessageName, otherName, spanName } from '../span/names.ts'
import type { Telemetry } from '../telemetry.ts'
import { HandlerSpan } from './handler-span.ts'
import { type HandshakeIds, isSampled, packIds, unpackIds } from './handshake-ids.ts'
import { HEARTBEAT_PAYLOAD } from './heartbeat.ts'
import { type AckWaiter, PendingAck } from './pending-ack.ts'
import { activeProcess, Process } from './process.ts'
import { randomId } from './random-id.ts'
import { Segment } from './segment.ts'
import { SpanBudget } from './span-budget.ts'
import { removeConnection } from './store.ts'
import { Stream } from './stream.ts'

/** What is known of a connection when it opens, and frozen then. */
export interface ConnectionFacts {
  readonly route?: string | undefined
  readonly subprotocol?: string | undefined
  readonly namespace?: string | undefined
  /** The namespace's own name, where `namespace` is the pattern of many: it stands on spans and not in metrics. */
  readonly namespaceName?: string | undefined
  /** The host library's own id, recorded with option `sessionId`. */
  readonly sessionId?: string | undefined
}

/** What an application can reach of a connection: `connectionOf(socket)`. */
export interface ConnectionContext {
  /** Random, 16 hex digits; `websocket.connection.id` of every span. */
  readonly id: string
  readonly route: string | undefined
  readonly subprotocol: string | undefined
  /** Sets an attribute on every later span of this connection, for example the user's id once it is known. */
  setAttribute(key: string, value: AttributeValue): this
  /** Sets several attributes on every later span of this connection. */
  setAttributes(attributes: Attributes): this
  /**
   * Runs work that belongs to the connection and to no message, such as a timer's or a queue's: whatever span was active
   * is left behind, so that what it sends is told as server-initiated.
   */
  run<R>(fn: () => R): R
  /** The trace context as a W3C carrier: of the active span, else of the connection's handshake. Empty without an SDK. */
  traceContext(): Record<string, string>
  /**
   * Measures a streamed answer. Called in a message's handler, the figures stand on its process span, which then lasts
   * until the stream ends.
   */
  stream(): Stream
}

/** How a message came in; with option `frames`. */
export interface IncomingFrames {
  readonly frames: number
  /** Seconds from the first frame to the last. */
  readonly receiveTime: number
}

/** A message of which some fragments have been sent. */
export interface PartialMessage {
  readonly startedAt: number
  readonly binary: boolean
  size: number
  count: number
  /** There from the first fragment on where that carries its context. */
  message?: OutgoingMessage | undefined
}

/** What a connection keeps from its first message on: made once, so that a message makes none of it. */
class MessageState {
  readonly attributes: Attributes
  /** Options of process spans that start a trace. */
  readonly root: SpanOptions
  unsampled: Span | undefined
  budget: SpanBudget | undefined

  constructor(attributes: Attributes, links: Link[]) {
    this.attributes = attributes
    this.root = { kind: SpanKind.CONSUMER, attributes, links }
  }
}

/** What most connections have nothing of for most of their time. */
class RareState {
  partialSend: PartialMessage | undefined
  incomingContext: IncomingContext | undefined
  foreignTerms: PropagationTerms | undefined
  incoming: IncomingFrames | undefined
  droppedSpans = 0
  lastRtt: number | undefined
  streams: Set<Stream> | undefined
  acks: Set<AckWaiter> | undefined
  flushPoller: FlushPoller | undefined
  sentCode: number | undefined
  sentReason: string | undefined
  failedCode: number | undefined
  terminated = false
  timedOut = false
  readonly heartbeat: Ping = { payload: undefined, sentAt: 0 }
  readonly applicationPing: Ping = { payload: undefined, sentAt: 0 }
}

/** The record of one connection. Holds numbers, texts and ids; never a span that has ended. */
export class Connection implements ConnectionContext, LiveConnection {
  readonly telemetry: Telemetry
  readonly series: Series
  received = 0
  sent = 0
  receivedBytes = 0
  sentBytes = 0
  /** Messages are compressed or encrypted before they reach the kernel, so that none does during the call. */
  defersWrites = false
  /** What was agreed on with the peer about context in messages; `undefined` leaves messages as they are. */
  terms: PropagationTerms | undefined = undefined
  older: LiveConnection | undefined = undefined
  newer: LiveConnection | undefined = undefined
  readonly #socket: unknown
  readonly #handshake: HandshakeIds | undefined
  /** Whole milliseconds: a fraction would be an object of its own. */
  readonly #openedAt = Math.trunc(performance.now())
  #id: string | undefined
  #messages: MessageState | undefined
  #segment: Segment | undefined
  #closed = false
  #rare: RareState | undefined

  constructor(telemetry: Telemetry, socket: unknown, facts: ConnectionFacts, handshake: SpanContext | undefined) {
    this.telemetry = telemetry
    this.#socket = socket
    this.#handshake = handshake && packIds(handshake)
    this.series = telemetry.metrics.series(facts.route, facts.namespace, facts.subprotocol)
    if (facts.namespaceName !== undefined) this.setAttribute(schema.ATTR_WEBSOCKET_NAMESPACE, facts.namespaceName)
    if (telemetry.options.sessionId && facts.sessionId !== undefined) {
      this.setAttribute(schema.ATTR_WEBSOCKET_SESSION_ID, facts.sessionId)
    }
  }

  /** Made when it is first asked for: nobody asks while there is no SDK. */
  get id(): string {
    this.#id ??= randomId()
    return this.#id
  }

  /**
   * Both ends have agreed to context in messages, or the user has declared that they do.
   *
   * @param id the connection's id on both ends, where the agreement told it
   */
  acceptTerms(agreement: PropagationTerms, id?: string): void {
    this.terms = agreement
    if (id === undefined || id === this.#id) return
    this.#id = id
    // What was made from an id of our own is made anew.
    if (this.#messages !== undefined) this.setAttribute(schema.ATTR_WEBSOCKET_CONNECTION_ID, id)
  }

  /** What a context is used for that hook `messageContext` finds, where nothing is agreed on. */
  setForeignTerms(terms: PropagationTerms): void {
    this.#rareState().foreignTerms = terms
  }

  /**
   * Takes the carrier out of a text that came in: returns what the application is to see. The context that came with it
   * belongs to the next `receive`. For connections with an agreement.
   */
  extractContext(data: unknown): unknown {
    const text = textPayload(data)
    const found = text === undefined ? undefined : this.terms?.member.extract(text)
    if (found === undefined) return data
    this.setIncomingContext(parseCarrier(found.carrier, found.problem))
    return found.problem === undefined ? found.payload : data
  }

  /** What came in with a message, for the next `receive`. For hosts whose messages are no texts. */
  setIncomingContext(inBand: IncomingContext | undefined): void {
    this.#rareState().incomingContext = inBand
  }

  /**
   * Puts the context of a message into a text that goes out: returns what the host is to send. For connections with an
   * agreement.
   *
   * @param message what `sending` returned for it
   */
  injectContext(data: unknown, message: OutgoingMessage | undefined): unknown {
    const { terms } = this
    const text = textPayload(data)
    if (terms === undefined || text === undefined || !terms.member.canCarry(text)) return data
    if (message !== undefined) return message.injectContext(terms, data, text)
    return terms.member.inject(data, text, currentCarrier(terms), false)
  }

  /** As `wrap`, for the first fragment of a text that has anything in it. */
  injectIntoFirstFragment(data: unknown, fragments: PartialMessage): unknown {
    const { terms, telemetry } = this
    const text = textPayload(data)
    if (terms === undefined || text === undefined || !terms.member.canCarry(text)) return data
    if (telemetry.active) fragments.message ??= telemetry.sendBatch.startFragmented(this, fragments)
    const carrier = fragments.message?.carrier(terms) ?? currentCarrier(terms)
    return terms.member.inject(data, text, carrier, true)
  }

  /** True once the close was told. */
  get closed(): boolean {
    return this.#closed
  }

  get route(): string | undefined {
    return this.series.attributes[schema.ATTR_WEBSOCKET_ROUTE] as string | undefined
  }

  get subprotocol(): string | undefined {
    return this.series.attributes[schema.ATTR_WEBSOCKET_SUBPROTOCOL] as string | undefined
  }

  /** The message that is being sent in fragments. */
  get partialSend(): PartialMessage | undefined {
    return this.#rare?.partialSend
  }

  set partialSend(partial: PartialMessage | undefined) {
    this.#rareState().partialSend = partial
  }

  /** Attributes of every span of the connection. A connection that has no messages yet does not keep them. */
  identity(): Attributes {
    return this.#messages?.attributes ?? { [schema.ATTR_WEBSOCKET_CONNECTION_ID]: this.id, ...this.series.attributes }
  }

  setAttribute(key: string, value: AttributeValue): this {
    return this.setAttributes({ [key]: value })
  }

  setAttributes(attributes: Attributes): this {
    // A new object: the one before may belong to a span by now.
    const before = this.#messages
    this.#messages = new MessageState({ ...this.identity(), ...attributes }, this.#links())
    this.#messages.budget = before?.budget
    this.#segment?.span?.setAttributes(attributes)
    return this
  }

  run<R>(fn: () => R): R {
    const base = withoutSpan(context.active())
    const span = this.#segment?.span
    return context.with(span === undefined ? base : withSpan(base, span), fn)
  }

  traceContext(): Record<string, string> {
    const carrier: Record<string, string> = {}
    const active = context.active()
    if (trace.getSpanContext(active) !== undefined) propagation.inject(active, carrier)
    else {
      const origin = this.#origin()
      if (origin !== undefined) propagation.inject(trace.setSpanContext(ROOT_CONTEXT, origin), carrier)
    }
    return carrier
  }

  stream(): Stream {
    return this.startStream(this.currentProcess())
  }

  /** Measures a streamed answer to the message of `process`. */
  startStream(process: Process | undefined): Stream {
    const stream = new Stream(this, process)
    if (!this.#closed) {
      const state = this.#rareState()
      state.streams ??= new Set()
      state.streams.add(stream)
    }
    return stream
  }

  /** The process that the calling code is part of, when it is one of this connection's and has not settled. */
  currentProcess(): Process | undefined {
    const process = activeProcess()
    return process?.connection === this && !process.settled ? process : undefined
  }

  streamEnded(stream: Stream): void {
    this.#rare?.streams?.delete(stream)
  }

  bufferedAmount(): number {
    return this.telemetry.driver.bufferedAmount(this.#socket)
  }

  get slowBytes(): number {
    return this.telemetry.options.slowConsumerBytes
  }

  /** The connection goes on over another transport. */
  transportChanged(transport: string): void {
    this.#segment?.span?.setAttribute(schema.ATTR_WEBSOCKET_TRANSPORT, transport)
  }

  /** The sender of a message waits for an acknowledgement: tell what becomes of it. */
  trackAck(process: Process): AckWaiter {
    return new PendingAck(process, this.pendingAcks())
  }

  /** Acknowledgements that are awaited, by either side. What remains at the close is told as disconnected. */
  pendingAcks(): Set<AckWaiter> {
    const state = this.#rareState()
    state.acks ??= new Set()
    return state.acks
  }

  /** The host has a message of which it will not tell the flush: told now, or when its buffers are empty, or at the close. */
  endWhenFlushed(message: OutgoingMessage, buffers: Buffers): void {
    if (this.#closed || buffers.bufferedAmount === 0) {
      message.flushed()
      return
    }
    const state = this.#rareState()
    state.flushPoller ??= new FlushPoller()
    state.flushPoller.add(buffers, () => message.flushed())
  }

  /** Called by the handshake once its span has ended. */
  opened(): void {
    this.series.live.add(this)
    this.telemetry.opened(this)
    if (this.telemetry.options.traces === 'connection') this.#segment = Segment.first(this, this.#origin())
  }

  /**
   * The user's connection handler is about to run; `undefined` when nothing is to be told of it.
   *
   * @param functionName name of the handler with its class, where the host knows it
   */
  startOpen(functionName?: string): HandlerSpan | undefined {
    const { tracer } = this.telemetry
    if (tracer === undefined) return undefined
    const active = withoutSpan(context.active())
    const origin = this.#origin()
    const parent = origin === undefined ? active : withSpan(active, trace.wrapSpanContext(origin))
    const span = tracer.startSpan(spanName('open', this.route), { attributes: this.identity() }, parent)
    if (functionName !== undefined) span.setAttribute(schema.ATTR_CODE_FUNCTION_NAME, functionName)
    return new HandlerSpan(this, active, span)
  }

  /** The user's handler of the connection's end is about to run; `undefined` when nothing is to be told of it. */
  startDisconnect(functionName?: string): HandlerSpan | undefined {
    const { tracer } = this.telemetry
    if (tracer === undefined || this.#inheritsUnsampled()) return undefined
    const active = withoutSpan(context.active())
    const name = spanName('disconnect', this.route)
    const segment = this.#segment?.span
    const attributes = this.identity()
    const span =
      segment === undefined
        ? tracer.startSpan(name, { attributes, links: this.#links() }, active)
        : tracer.startSpan(name, { attributes }, withSpan(active, segment))
    if (functionName !== undefined) span.setAttribute(schema.ATTR_CODE_FUNCTION_NAME, functionName)
    return new HandlerSpan(this, active, span)
  }

  /**
   * A message arrived and is about to be dispatched. Counts it. Returns the operation to run the dispatch in, or
   * `undefined` when it can go its way untouched.
   *
   * @param name when the host knows it; else option `messageName` is asked
   * @param reply the sender waits for an answer: the span is a SERVER span
   * @param registered the application has a handler of this name; a name of the sender's own making is no attribute
   */
  startReceive(
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
    const taken = this.terms === undefined ? undefined : this.#takeIncomingContext()
    series.receivedBytes += size
    if (binary) series.receivedBinary++
    else series.receivedText++
    if (!telemetry.active) return undefined
    const { options, metrics } = telemetry
    const message =
      name === undefined
        ? telemetry.nameOf(data, binary, size, this.route, telemetry.registeredNames)
        : registered
          ? telemetry.named(name)
          : otherName(name)
    if (options.messageSizeMetric) metrics.messageSize.record(size, series.directed('receive'))
    if (options.ignore !== undefined && this.#ignores(message, 'receive')) return undefined
    const inBand = taken ?? (options.messageContext === undefined ? undefined : this.#findContext(data, binary))
    const active = inBand === undefined ? context.active() : this.#withBaggage(context.active(), inBand)
    const span = options.messages ? this.#startProcess(message, reply, active, inBand) : undefined
    if (span === undefined && !metrics.recording) return undefined
    const process = new Process(this, message, active, span)
    if (span?.isRecording()) {
      this.describe(span, message, binary, size, sequence)
      if (inBand?.problem !== undefined) span.setAttribute(schema.ATTR_WEBSOCKET_MESSAGE_CARRIER_ERROR, inBand.problem)
      if (options.frames) this.#describeFrames(span)
      this.#callMessageHook(span, 'receive', data, binary)
    }
    return process
  }

  /**
   * A message of which only the handling is seen, because the host has decoded it before: it is neither counted nor
   * measured. Returns what `receive` returns.
   */
  startHandling(name: string | undefined, reply = false): Process | undefined {
    const { telemetry } = this
    if (!telemetry.active) return undefined
    const message = name === undefined ? telemetry.unnamed(this.route) : telemetry.named(name)
    if (telemetry.options.ignore !== undefined && this.#ignores(message, 'receive')) return undefined
    const active = context.active()
    const span = telemetry.options.messages ? this.#startProcess(message, reply, active, undefined) : undefined
    if (span === undefined && !telemetry.metrics.recording) return undefined
    const process = new Process(this, message, active, span)
    if (span?.isRecording()) describeName(span, message)
    return process
  }

  /**
   * A message is about to be handed to the host for sending. Returns the transmission it belongs to, or `undefined` when
   * it is only counted. The adapter calls `sent` once the host has taken the message.
   *
   * @param startedAt when the message began earlier, with its first fragment
   */
  startSend(data: unknown, binary: boolean, size: number, name?: string, startedAt = 0): OutgoingMessage | undefined {
    const { telemetry } = this
    if (!telemetry.active) return undefined
    return telemetry.sendBatch.messageFor(this, data, binary, size, name, startedAt)
  }

  /**
   * A message with a name is about to be handed to the host, for this connection only. Its type and size are told when
   * the host has encoded it. Returns `undefined` when it is only counted.
   *
   * @param awaitsAck the peer will acknowledge it: the span lasts until then and is a CLIENT span
   */
  startEvent(data: unknown, name: string, awaitsAck: boolean): OutgoingMessage | undefined {
    const { telemetry } = this
    if (!telemetry.active) return undefined
    const transmission = telemetry.sendBatch.startEvent(this, data, name)
    if (awaitsAck) transmission?.awaitAck(this.pendingAcks())
    return transmission
  }

  /** As `sending`, for the last fragment of a message. */
  startLastFragment(fragments: PartialMessage, size: number): OutgoingMessage | undefined {
    const { message, binary, startedAt } = fragments
    if (message === undefined) return this.startSend(fragments, binary, size, undefined, startedAt)
    message.encoded(binary, size)
    this.telemetry.sendBatch.finishFragmented(message)
    return message
  }

  /** A message of which fragments were to be sent comes to nothing. */
  abandonFragments(fragments: PartialMessage, error?: unknown): void {
    if (fragments.message !== undefined) this.telemetry.sendBatch.abandonFragmented(fragments.message, error)
  }

  /** The host has taken a whole message. Returns its sequence number. */
  countSent(binary: boolean, size: number): number {
    const { series } = this
    this.sentBytes += size
    series.sentBytes += size
    if (binary) series.sentBinary++
    else series.sentText++
    const { options, metrics } = this.telemetry
    if (options.messageSizeMetric && metrics.recording) metrics.messageSize.record(size, series.directed('send'))
    return ++this.sent
  }

  /** The application sent a message on a connection that is not open. */
  sendSkipped(data: unknown, binary: boolean, size: number, name?: string): void {
    this.series.notOpen++
    if (this.telemetry.active) this.telemetry.sendBatch.skipped(this, data, binary, size, name)
  }

  /** An explicit broadcast passed this connection over because it is not open. */
  broadcastSkipped(): void {
    this.telemetry.sendBatch.skippedInBroadcast(this)
  }

  /** True when option `ignore` or `outgoing` leaves this outgoing message without a span. */
  isSendUntraced(message: MessageName): boolean {
    const { options } = this.telemetry
    return !options.messages || !options.outgoing || (options.ignore !== undefined && this.#ignores(message, 'send'))
  }

  /**
   * Starts the span of a message that was sent outside of any span: a trace of its own linked to the handshake, or a
   * child of the connection span.
   *
   * @param undecided it may yet become a broadcast: the span gets nothing that belongs to this connection alone
   */
  startSendSpan(name: string, startTime: HrTime, kind: SpanKind, undecided: boolean): Span | undefined {
    const { telemetry } = this
    const { tracer } = telemetry
    if (tracer === undefined || this.#inheritsUnsampled() || !this.takeBudget()) return undefined
    const segment = this.#nextSegment()
    const base = withoutSpan(context.active())
    const parent = segment === undefined ? base : withSpan(base, segment)
    // Only a sampler that goes by the link needs it now.
    const linked = segment === undefined && (!undecided || telemetry.options.messageSampling === 'connection')
    const links = linked ? this.#links() : []
    const attributes = undecided ? this.series.attributes : this.#messageState().attributes
    return tracer.startSpan(name, { kind, attributes, links, startTime }, parent)
  }

  /** An undecided span has turned out to be this connection's own. */
  completeSendSpan(span: Span, root: boolean): void {
    span.setAttributes(this.identity())
    if (root && this.#segment === undefined && this.telemetry.options.messageSampling !== 'connection') {
      span.addLinks(this.#links())
    }
  }

  /** Takes one span from the connection's budget; `false` when it is used up. */
  takeBudget(): boolean {
    const limit = this.telemetry.options.maxMessageSpansPerSecond
    if (limit === Number.POSITIVE_INFINITY) return true
    const state = this.#messageState()
    const now = performance.now()
    state.budget ??= new SpanBudget(limit, now)
    if (state.budget.take(now)) return true
    this.#rareState().droppedSpans++
    return false
  }

  /** Puts a message's attributes on its span. */
  describe(span: Span, message: MessageName, binary: boolean, size: number, sequence?: number): void {
    describeMessage(span, message, binary, size, sequence)
  }

  /** The frames of the message that is about to be received. */
  setIncomingFrames(incoming: IncomingFrames): void {
    this.#rareState().incoming = incoming
  }

  /** Tells hook `onMessage` of a message that was sent. */
  callSendHook(span: Span, data: unknown, binary: boolean): void {
    this.#callMessageHook(span, 'send', data, binary)
  }

  /** A ping was sent, ours or the application's. One of the same sender that is still unanswered counts as missed. */
  pingSent(payload: string): void {
    const ping = this.#ping(payload)
    if (ping.payload !== undefined) this.series.missedPings++
    ping.payload = payload
    ping.sentAt = performance.now()
  }

  /** A pong arrived. Only the answer to the latest ping counts: unsolicited ones are the peer's own business. */
  pongReceived(payload: string): void {
    if (this.#rare === undefined) return
    const ping = this.#ping(payload)
    if (payload !== ping.payload) return
    ping.payload = undefined
    const rtt = (performance.now() - ping.sentAt) / 1000
    this.#rareState().lastRtt = rtt
    const { metrics } = this.telemetry
    if (metrics.recording) metrics.pingRtt.record(rtt, this.series.attributes)
  }

  /** Milliseconds that a ping of ours has been waiting for its pong; 0 when none is outstanding. */
  heartbeatOverdue(): number {
    return this.#rare === undefined ? 0 : overdue(this.#rare.heartbeat)
  }

  /** Sends a ping of ours. */
  ping(payload: string): void {
    this.telemetry.driver.ping?.(this.#socket, payload)
  }

  /** Cuts a connection whose peer did not answer a ping of ours in time. */
  terminateDead(): void {
    this.#pingMissed(this.#rareState().heartbeat)
    this.telemetry.driver.terminate?.(this.#socket)
  }

  /** This side sent the first close frame, or fails the connection with this code. 1005 stands for a frame without a code. */
  closeFrameSent(code: number, reason?: string): void {
    const state = this.#rareState()
    if (state.sentCode !== undefined) return
    state.sentCode = code
    state.sentReason = reason
  }

  /** This side found an error of the protocol that this close code stands for, whether or not a frame can still tell. */
  protocolErrorDetected(code: number | undefined): void {
    if (code !== undefined) this.#rareState().failedCode ??= code
  }

  /** This side cuts the connection without a close frame. */
  terminateCalled(): void {
    const state = this.#rareState()
    if (state.terminated) return
    state.terminated = true
    // An application that cuts a connection whose pong is overdue is doing what a heartbeat is for.
    const limit = this.telemetry.options.heartbeatTimeout ?? APPLICATION_PING_TIMEOUT
    const late = [state.heartbeat, state.applicationPing].find((ping) => overdue(ping) >= limit)
    if (late !== undefined) this.#pingMissed(late)
  }

  /** The connection has closed. The first call is told; later ones are ignored. */
  close(facts: CloseFacts = {}): void {
    if (this.#closed) return
    this.#closed = true
    const { series, telemetry } = this
    series.live.delete(this)
    telemetry.closed(this)
    const state = this.#rare
    if (state?.partialSend !== undefined) this.abandonFragments(state.partialSend)
    this.#endPending()
    const duration = (performance.now() - this.#openedAt) / 1000
    const close = resolveClose({
      sent: state?.sentCode,
      failed: state?.failedCode,
      terminated: state?.terminated === true,
      timedOut: state?.timedOut === true,
      ...facts,
    })
    if (telemetry.metrics.recording) {
      telemetry.metrics.connectionDuration.record(duration, {
        ...series.attributes,
        [schema.ATTR_WEBSOCKET_CLOSE_CATEGORY]: close.category,
        [schema.ATTR_WEBSOCKET_CLOSE_INITIATOR]: close.initiator,
        [schema.ATTR_WEBSOCKET_CLOSE_CODE]: closeCodeLabel(close.code, telemetry.options.closeCodes),
      })
    }
    this.#recordClose(close, state?.sentCode === undefined ? facts : { ...facts, reason: state.sentReason }, duration)
  }

  /**
   * Telemetry is taken away from a connection that stays open: nothing more is told of it, and it counts no more. One
   * with an agreement stays traced: its peer goes on adding contexts, which the application must not see.
   */
  release(): void {
    if (this.#closed || this.terms !== undefined) return
    this.#closed = true
    this.series.live.delete(this)
    this.telemetry.closed(this)
    this.#endPending()
    if (this.#segment !== undefined) this.segmentEnded(this.#segment, 'shutdown')
    removeConnection(this.#socket as object)
    this.telemetry.driver.release?.(this.#socket)
  }

  /** Whatever is under way ends with the connection. */
  #endPending(): void {
    this.telemetry.sendBatch.flush()
    const { streams, acks, flushPoller } = this.#rare ?? {}
    if (streams !== undefined) for (const stream of streams) stream.disconnect()
    if (acks !== undefined) for (const ack of acks) ack.settle('disconnected')
    flushPoller?.end()
  }

  #recordClose(close: Close, facts: CloseFacts, duration: number): void {
    const { options, tracer } = this.telemetry
    const { reason } = facts
    const segment = this.#segment
    this.#segment = undefined
    const startSpan = () =>
      this.#inheritsUnsampled()
        ? undefined
        : tracer?.startSpan(
            spanName('close', this.route),
            { attributes: this.identity(), links: this.#links() },
            withoutSpan(context.active()),
          )
    const span = segment?.span ?? startSpan()
    if (span?.isRecording()) {
      const text = options.closeReason && reason !== undefined && reason !== '' ? truncateUtf8(reason, 123) : undefined
      span.setAttributes(this.#closeAttributes(close, facts, text, duration))
      if (options.closeErrors.has(close.category)) {
        markFailed(span, close.category)
      }
      const info: CloseInfo = { connectionId: this.id, ...close, reason, duration }
      const extra =
        options.onClose === undefined ? undefined : this.telemetry.callHook('onClose', options.onClose, span, info)
      if (extra) span.setAttributes(extra)
    }
    if (segment === undefined) span?.end()
    else segment.end()
  }

  #closeAttributes(close: Close, facts: CloseFacts, reason: string | undefined, duration: number): Attributes {
    const attributes = closeAttributes(close, reason, duration, this)
    if (facts.transport !== undefined) attributes[schema.ATTR_WEBSOCKET_TRANSPORT] = facts.transport
    const rtt = this.#rare?.lastRtt ?? facts.rtt
    if (rtt !== undefined) attributes[schema.ATTR_WEBSOCKET_PING_RTT] = rtt
    const dropped = this.#rare?.droppedSpans ?? 0
    if (dropped > 0) attributes[schema.ATTR_WEBSOCKET_CONNECTION_SPANS_DROPPED] = dropped
    return attributes
  }

  #startProcess(
    message: MessageName,
    reply: boolean,
    active: Context,
    inBand: IncomingContext | undefined,
  ): Span | undefined {
    const { tracer } = this.telemetry
    if (tracer === undefined) return undefined
    // What runs under a message that is not recorded must not start traces of its own.
    if (this.#inheritsUnsampled() || !this.takeBudget()) return this.#unsampledSpan()
    const base = withoutSpan(active)
    const remote = inBand?.spanContext
    const trust = remote === undefined ? undefined : this.#effectiveTerms?.trust
    if (remote !== undefined && trust === 'parent') {
      const { root } = this.#messageState()
      return tracer.startSpan(
        message.process,
        reply ? { ...root, kind: SpanKind.SERVER } : root,
        withSpan(base, trace.wrapSpanContext(remote)),
      )
    }
    const links = remote !== undefined && trust === 'link' ? [{ context: remote, attributes: MESSAGE_LINK }] : undefined
    const segment = this.#nextSegment()
    if (segment !== undefined) {
      const kind = reply ? SpanKind.SERVER : SpanKind.CONSUMER
      const spanOptions: SpanOptions = { kind, attributes: this.identity() }
      if (links !== undefined) spanOptions.links = links
      return tracer.startSpan(message.process, spanOptions, withSpan(base, segment))
    }
    const { root } = this.#messageState()
    if (links === undefined)
      return tracer.startSpan(message.process, reply ? { ...root, kind: SpanKind.SERVER } : root, base)
    const kind = reply ? SpanKind.SERVER : SpanKind.CONSUMER
    return tracer.startSpan(message.process, { ...root, kind, links: [...this.#links(), ...links] }, base)
  }

  /** The context that came with the message that is being received. */
  #takeIncomingContext(): IncomingContext | undefined {
    const inBand = this.#rare?.incomingContext
    if (this.#rare === undefined || inBand === undefined) return undefined
    this.#rare.incomingContext = undefined
    if (inBand.problem !== undefined) this.telemetry.carrierRejected(inBand.problem)
    return inBand
  }

  /** The context that the application's own format carries. */
  #findContext(data: unknown, binary: boolean): IncomingContext | undefined {
    const { options } = this.telemetry
    if (options.messageContext === undefined) return undefined
    return parseHookCarrier(this.telemetry.callHook('messageContext', options.messageContext, data, binary))
  }

  get #effectiveTerms(): PropagationTerms | undefined {
    return this.terms ?? this.#rare?.foreignTerms
  }

  #withBaggage(base: Context, inBand: IncomingContext): Context {
    return this.#effectiveTerms?.takesBaggage === true ? withBaggage(base, inBand.baggage) : base
  }

  #messageState(): MessageState {
    this.#messages ??= new MessageState(this.identity(), this.#links())
    return this.#messages
  }

  #links(): Link[] {
    const origin = this.#origin()
    return origin === undefined ? [] : [{ context: origin, attributes: HANDSHAKE_LINK }]
  }

  /** The handshake's span. */
  #origin(): SpanContext | undefined {
    return this.#handshake === undefined ? undefined : unpackIds(this.#handshake)
  }

  #nextSegment(): Span | undefined {
    const segment = this.#segment
    if (segment === undefined) return undefined
    if (segment.full()) this.segmentEnded(segment)
    return this.#segment?.count()
  }

  /** A segment reached its bound: the connection goes on in the next one. */
  segmentEnded(segment: Segment, endedBy?: 'age' | 'shutdown'): void {
    if (this.#segment !== segment) return
    this.#segment = endedBy === 'shutdown' ? undefined : segment.next(this.#links())
    segment.end(endedBy)
  }

  #inheritsUnsampled(): boolean {
    if (this.telemetry.options.messageSampling !== 'connection' || this.#handshake === undefined) return false
    return !isSampled(this.#handshake)
  }

  /** Pings of ours and the application's are told apart by their payload. */
  #ping(payload: string): Ping {
    const state = this.#rareState()
    return payload.startsWith(HEARTBEAT_PAYLOAD) ? state.heartbeat : state.applicationPing
  }

  #describeFrames(span: Span): void {
    const incoming = this.#rare?.incoming
    if (incoming === undefined) return
    span.setAttribute(schema.ATTR_WEBSOCKET_MESSAGE_FRAMES, incoming.frames)
    span.setAttribute(schema.ATTR_WEBSOCKET_MESSAGE_RECEIVE_TIME, incoming.receiveTime)
  }

  #rareState(): RareState {
    this.#rare ??= new RareState()
    return this.#rare
  }

  #pingMissed(ping: Ping): void {
    ping.payload = undefined
    this.series.missedPings++
    this.#rareState().timedOut = true
  }

  #unsampledSpan(): Span | undefined {
    if (this.#handshake === undefined) return undefined
    const state = this.#messageState()
    state.unsampled ??= trace.wrapSpanContext({ ...unpackIds(this.#handshake), traceFlags: TraceFlags.NONE })
    return state.unsampled
  }

  #ignores(message: MessageName, direction: 'receive' | 'send'): boolean {
    return this.telemetry.ignores({ kind: 'message', route: this.route, name: message.name, direction })
  }

  #callMessageHook(span: Span, direction: 'receive' | 'send', data: unknown, binary: boolean): void {
    const { onMessage } = this.telemetry.options
    if (onMessage === undefined) return
    const extra = this.telemetry.callHook('onMessage', onMessage, span, {
      connectionId: this.id,
      direction,
      data,
      binary,
    })
    if (extra) span.setAttributes(extra)
  }
}

const HANDSHAKE_LINK: Attributes = { [schema.ATTR_WEBSOCKET_LINK_KIND]: 'handshake' }
const MESSAGE_LINK: Attributes = { [schema.ATTR_WEBSOCKET_LINK_KIND]: 'message' }

/** Milliseconds after which a ping of the application's own counts as missed when it cuts the connection. */
const APPLICATION_PING_TIMEOUT = 1000

interface Ping {
  payload: string | undefined
  sentAt: number
}

function overdue(ping: Ping): number {
  return ping.payload === undefined ? 0 : performance.now() - ping.sentAt
}
