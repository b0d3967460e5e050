import {
  type Attributes,
  type Context,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanOptions,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { activeContext } from '../api/context.ts'
import { isRecording, setAttribute, setAttributes, startSpan } from '../api/span.ts'
import type { AckWaiter } from '../context/ack.ts'
import type { Operation } from '../context/operation.ts'
import { withoutSpan, withSpan } from '../context/span-scope.ts'
import type { MessageReading, OperationHost, StartedRequest } from '../operations/host.ts'
import type { ExtractResult } from '../propagation/json-member.ts'
import { AGREED_MEMBER, isConfirmation } from '../propagation/negotiation.ts'
import {
  type ExtractedContext,
  type IncomingContext,
  type PropagationTerms,
  parseCarrier,
  parseHookCarrier,
  propagationTerms,
  textPayload,
  withBaggage,
} from '../propagation/terms.ts'
import * as schema from '../schema.ts'
import type { RegisteredNames } from '../services/driver.ts'
import { describeMessage, describeName } from '../span/describe.ts'
import { type MessageName, otherName } from '../span/names.ts'
import type { AggregateWindow } from './aggregate.ts'
import { readForeignCarrier } from './foreign-carrier.ts'
import { ConnectionIdentity } from './identity.ts'
import { BatchProcess, OperationProcess, QuietProcess } from './operation-process.ts'
import { PendingAck } from './pending-ack.ts'
import { activeProcess, Process } from './process.ts'
import { Stream } from './stream.ts'

/** Frames of a received message, with option `frames`. */
export interface IncomingFrames {
  readonly frames: number
  /** Seconds from the first frame to the last. */
  readonly receiveTime: number
}

/**
 * A message that the host is about to dispatch. It is read before any code of the application runs: an adapter may reuse
 * one object for all messages.
 */
export interface IncomingMessage {
  /** The payload as the application gets it. */
  readonly data: unknown
  readonly binary: boolean
  /** Payload bytes, uncompressed; UTF-8 for text. */
  readonly size: number
  /** Result of `extractContext`, or a carrier that the adapter has taken from the host's own packet. */
  readonly extracted?: ExtractedContext | undefined
  /** The name if the host knows it; else option `messageName` reads it. */
  readonly name?: string | undefined
  /** False if the application has no handler of this name: it is recorded as `_OTHER`. Default true. */
  readonly isRegistered?: boolean
  /** The sender waits for an answer: the span's kind is SERVER. Default false. */
  readonly awaitsReply?: boolean
  readonly frames?: IncomingFrames | undefined
}

const MESSAGE_LINK: Attributes = { [schema.ATTR_WEBSOCKET_LINK_KIND]: 'message' }

/** The messages that a connection receives. */
export abstract class IncomingConnection extends ConnectionIdentity {
  received = 0
  receivedBytes = 0
  /** When the latest message passed, by the coarse clock. */
  protected activeAt: number = this.services.clock.now
  /** Reads the messages as operations of a protocol; `undefined` for connections without one. */
  operations: MessageReading<Process, IncomingMessage> | undefined = undefined
  /** Terms of context in messages; while `undefined`, messages are left as they are. */
  terms: PropagationTerms | undefined = undefined

  /**
   * Uses context in messages from now on: both ends have agreed on it, or option `propagation` is `always`.
   *
   * @param id the connection's id on both ends, if the agreement contains one
   */
  acceptTerms(terms: PropagationTerms, id?: string): void {
    this.terms = terms
    if (id !== undefined) this.setId(id)
  }

  /** The server has sent its hello message: these terms hold once the client confirms it. */
  offerTerms(terms: PropagationTerms): void {
    this.rareState().offeredTerms = terms
  }

  /** True from the server's hello message until the client confirms it. */
  get awaitsConfirmation(): boolean {
    return this.rare?.offeredTerms !== undefined
  }

  /**
   * A text has arrived while `awaitsConfirmation`. Returns true if it is the client's confirmation: the application must
   * not see it, and it is not counted.
   */
  confirms(data: unknown): boolean {
    const text = textPayload(data)
    if (text === undefined || !isConfirmation(text)) return false
    this.confirmed()
    return true
  }

  /** The client has confirmed the hello message: from now on, messages carry context in both directions. */
  confirmed(): void {
    const terms = this.rare?.offeredTerms
    if (terms === undefined) return
    this.rareState().offeredTerms = undefined
    this.acceptTerms(terms)
  }

  /** Sets the terms for contexts that option `messageContext` reads. */
  setForeignTerms(terms: PropagationTerms): void {
    this.rareState().foreignTerms = terms
  }

  /**
   * Extracts the context from a received text. Dispatch the `payload` of the result to the application, and pass the
   * result to `startReceive`. Returns `undefined` for payloads without a carrier. For connections with `terms`.
   */
  extractContext(data: unknown): ExtractResult<unknown> | undefined {
    const text = textPayload(data)
    const member = this.terms?.member
    if (text === undefined || member === undefined) return undefined
    const result = member.extract(text)
    if (result?.carrier === undefined && member.name !== AGREED_MEMBER) {
      const carrier = readForeignCarrier(text, member.name)
      if (carrier !== undefined) return { payload: data, carrier, problem: undefined }
    }
    if (result === undefined || result.problem === undefined) return result
    // The application gets what arrived, in its own type.
    return { payload: data, carrier: undefined, problem: result.problem }
  }

  /**
   * Counts a message that is about to be dispatched and starts its process. Run the dispatch in the process that is
   * returned; without one, dispatch as if there were no telemetry.
   */
  startReceive(message: IncomingMessage): Process | undefined {
    const { data, binary, size, extracted, awaitsReply = false } = message
    const { name: givenName, isRegistered = true } = message
    this.received++
    this.receivedBytes += size
    const { series, services } = this
    this.activeAt = services.clock.now
    series.receivedBytes += size
    if (binary) series.receivedBinary++
    else series.receivedText++
    const { options, metrics } = services
    if (!services.active && options.around === undefined) return undefined
    if (options.messageSizeMetric) metrics.messageSize.record(size, series.directed('receive'))
    const { operations } = this
    if (operations !== undefined) {
      const process = operations.receive(data, binary, size, message, this.operationHost)
      if (process !== undefined) return process
    }
    const name =
      givenName === undefined
        ? this.nameOfMessage(data, binary, size, services.registeredNames)
        : isRegistered
          ? services.named(givenName)
          : otherName(givenName)
    if (name.name !== undefined && metrics.recording) series.receivedNamed(name.name, binary)
    if (options.ignore !== undefined && this.ignoresMessage(name, 'receive')) {
      if (services.tracer !== undefined) this.messageState().counts.received(undefined)
      return undefined
    }
    const isSecret = operations?.isSecret === true
    const remote = this.remoteContext(extracted, data, binary, isSecret)
    const active = remote === undefined ? activeContext() : this.withBaggage(activeContext(), remote)
    const window = options.aggregate === undefined ? undefined : this.windowOf(name)
    window?.received(size)
    const span = !options.messages
      ? undefined
      : window === undefined
        ? this.startProcessSpan(name, awaitsReply, active, remote)
        : this.unsampledSpan(undefined)
    if (services.tracer !== undefined) this.messageState().counts.received(span)
    if (span === undefined && !metrics.recording && options.around === undefined) return undefined
    const process = new Process(this, name, active, span, window !== undefined)
    if (window !== undefined) process.window = window
    if (isRecording(span)) this.describeReceived(span, name, message, remote, isSecret)
    else if (span !== undefined) this.mayKeep(process, awaitsReply, binary, size)
    return process
  }

  /** The handlers of a message have settled whose window this is. */
  settledIn(window: AggregateWindow, duration: number, hasFailed: boolean): void {
    const present = window.isOver ? this.windowOf(window.name) : window
    present?.settled(duration, hasFailed)
  }

  /** Records the messages of a window, which has ended, in one span. */
  abstract endWindow(window: AggregateWindow): void

  /** The window of messages of this name, if option `aggregate` has it and there are not too many. */
  private windowOf(message: MessageName): AggregateWindow | undefined {
    const { services } = this
    const { name } = message
    if (name === undefined || this.closed || services.tracer === undefined || !services.options.messages)
      return undefined
    if (services.options.aggregate?.has(name) !== true) return undefined
    const state = this.rareState()
    let window = state.windows?.get(name)
    if (window !== undefined) return window
    window = services.windows?.open(this, message)
    if (window === undefined) return undefined
    state.windows ??= new Map()
    state.windows.set(name, window)
    return window
  }

  /** Starts the process of a message that begins an operation of a protocol. */
  startOperation(message: IncomingMessage, request: StartedRequest): OperationProcess {
    const { services } = this
    const { data, binary, size, extracted } = message
    const { operation, spanName, attributes, carrier, isSecret } = request
    const name = isSecret ? services.unnamed(this.route) : this.nameOfMessage(data, binary, size)
    const isTraced = services.options.messages && !this.isIgnored(name, isSecret)
    if (carrier !== undefined && this.effectiveTerms === undefined) this.trustSlot()
    const remote =
      extracted === undefined && carrier !== undefined
        ? parseCarrier(carrier, undefined)
        : this.remoteContext(extracted, data, binary, isSecret)
    const active = remote === undefined ? activeContext() : this.withBaggage(activeContext(), remote)
    const span = isTraced ? this.startProcessSpan({ ...name, process: spanName }, true, active, remote) : undefined
    if (services.tracer !== undefined) this.messageState().counts.received(span)
    if (isRecording(span)) {
      this.describeReceived(span, name, message, remote, isSecret)
      setAttributes(span, attributes)
    }
    const process = new OperationProcess(this, name, active, span).begin(operation)
    if (span !== undefined && !isRecording(span)) this.mayKeep(process, true, binary, size)
    return process
  }

  /** A message is not sampled: what option `keep` needs if it keeps it. */
  private mayKeep(process: Process, awaitsReply: boolean, binary: boolean, size: number): void {
    if (this.services.keeper?.mayKeep(process.span) !== true) return
    const kind = awaitsReply ? SpanKind.SERVER : (this.messageState().root.kind ?? SpanKind.INTERNAL)
    process.unsampled = { kind, binary, size, sequence: this.received, closes: false }
  }

  /** Sets the terms for a context in the place of a protocol that was found by the first messages. */
  private trustSlot(): void {
    const { remoteContext = 'parent' } = this.services.options
    // The request that a function would decide on is not kept.
    this.setForeignTerms(propagationTerms(typeof remoteContext === 'function' ? 'ignore' : remoteContext, false, false))
  }

  /** Starts the process of a message with several requests. */
  startBatch(message: IncomingMessage, attributes: Attributes): Process {
    const { services } = this
    const name = services.unnamed(this.route)
    const active = activeContext()
    const isTraced = services.options.messages && !this.isIgnored(name, false)
    const remote = this.remoteContext(message.extracted, message.data, message.binary, false)
    const span = isTraced
      ? this.startProcessSpan({ ...name, process: 'process batch' }, false, active, remote, SpanKind.INTERNAL)
      : undefined
    if (services.tracer !== undefined) this.messageState().counts.received(span)
    if (isRecording(span)) {
      this.describeReceived(span, name, message, remote, false)
      setAttributes(span, attributes)
    }
    return new BatchProcess(this, name, active, span)
  }

  /** Starts the dispatch of a message that has no span of its own. */
  startQuiet(parent: Context | undefined, settled?: () => void, isMeasured = false): Process {
    if (this.services.tracer !== undefined) this.messageState().counts.received(undefined)
    const active = parent ?? withoutSpan(activeContext())
    const name = this.services.unnamed(this.series.route)
    return new QuietProcess(this, name, active, undefined).begin(settled, isMeasured)
  }

  /**
   * Starts the process of a message that the host has decoded before, so that only its handling is visible: it is neither
   * counted nor measured in bytes.
   */
  startHandling(name: string | undefined, awaitsReply = false): Process | undefined {
    const { services } = this
    const { around } = services.options
    if (!services.active && around === undefined) return undefined
    const message = name === undefined ? services.unnamed(this.route) : services.named(name)
    if (services.options.ignore !== undefined && this.ignoresMessage(message, 'receive')) return undefined
    const active = activeContext()
    const span = services.options.messages ? this.startProcessSpan(message, awaitsReply, active, undefined) : undefined
    if (span === undefined && !services.metrics.recording && around === undefined) return undefined
    const process = new Process(this, message, active, span)
    if (isRecording(span)) describeName(span, message)
    return process
  }

  /** The process that the calling code is part of, if it is one of this connection and has not settled. */
  currentProcess(): Process | undefined {
    const process = activeProcess()
    return process?.connection === this && !process.settled ? process : undefined
  }

  stream(): Stream {
    return this.startStream(this.currentProcess())
  }

  /** Measures a streamed answer to the message of `process`. */
  startStream(process: Process | undefined): Stream {
    const stream = new Stream(this, process)
    if (!this.closed) {
      const state = this.rareState()
      state.streams ??= new Set()
      state.streams.add(stream)
    }
    return stream
  }

  streamEnded(stream: Stream): void {
    this.rare?.streams?.delete(stream)
  }

  /** Keeps `process` open until the acknowledgement that its sender waits for is settled. */
  trackAck(process: Process): AckWaiter {
    return new PendingAck(process, this.pendingAcks())
  }

  /** Acknowledgements that either side waits for. Those that remain at the close are settled as `disconnected`. */
  pendingAcks(): Set<AckWaiter> {
    const state = this.rareState()
    state.acks ??= new Set()
    return state.acks
  }

  /** True once the connection has closed. */
  abstract readonly closed: boolean

  abstract newestPending: Operation | undefined

  /** This connection, for its operations. */
  protected abstract get operationHost(): OperationHost<Process, IncomingMessage>

  protected ignoresMessage(message: MessageName, direction: 'receive' | 'send'): boolean {
    return this.services.ignores({ kind: 'message', route: this.route, name: message.name, direction })
  }

  protected callMessageHook(span: Span, direction: 'receive' | 'send', data: unknown, binary: boolean): void {
    const { onMessage } = this.services.options
    if (onMessage === undefined) return
    const extra = this.services.callHook('onMessage', onMessage, span, {
      connectionId: this.id,
      direction,
      data,
      binary,
    })
    setAttributes(span, extra)
  }

  /** The name of a message: what option `messageName` reads, else that of the event that its protocol has. */
  protected nameOfMessage(data: unknown, binary: boolean, size: number, registered?: RegisteredNames): MessageName {
    const { services, operations } = this
    if (operations?.isSecret === true) return services.unnamed(this.route)
    const eventName = operations?.eventName
    if (eventName !== undefined && services.options.messageName === undefined) return services.named(eventName)
    return services.nameOf(data, binary, size, this.route, registered)
  }

  /** The context that came with a message: in our carrier, else in the application's own format. */
  private remoteContext(
    extracted: ExtractedContext | undefined,
    data: unknown,
    binary: boolean,
    isSecret: boolean,
  ): IncomingContext | undefined {
    if (extracted !== undefined) {
      const remote = parseCarrier(extracted.carrier, extracted.problem)
      if (remote.problem !== undefined) this.services.diagnostics.carrierRejected(remote.problem)
      return remote
    }
    const { messageContext } = this.services.options
    if (messageContext === undefined || isSecret) return undefined
    return parseHookCarrier(this.services.callHook('messageContext', messageContext, data, binary))
  }

  private isIgnored(name: MessageName, isSecret: boolean): boolean {
    return this.services.options.ignore !== undefined && !isSecret && this.ignoresMessage(name, 'receive')
  }

  private describeReceived(
    span: Span,
    name: MessageName,
    { data, binary, size, frames }: IncomingMessage,
    remote: IncomingContext | undefined,
    isSecret: boolean,
  ): void {
    describeMessage(span, name, binary, size, this.received)
    if (remote?.problem !== undefined) setAttribute(span, schema.ATTR_WEBSOCKET_MESSAGE_CARRIER_ERROR, remote.problem)
    if (frames !== undefined) describeFrames(span, frames)
    if (name.name === undefined && !binary && !isSecret && this.services.isMalformed(data, size)) {
      setAttribute(span, schema.ATTR_WEBSOCKET_MESSAGE_MALFORMED, 'json')
    }
    if (!isSecret) this.callMessageHook(span, 'receive', data, binary)
  }

  private get effectiveTerms(): PropagationTerms | undefined {
    return this.terms ?? this.rare?.foreignTerms
  }

  private withBaggage(base: Context, remote: IncomingContext): Context {
    return this.effectiveTerms?.takesBaggage === true ? withBaggage(base, remote.baggage) : base
  }

  private startProcessSpan(
    message: MessageName,
    awaitsReply: boolean,
    active: Context,
    incoming: IncomingContext | undefined,
    kind = awaitsReply ? SpanKind.SERVER : undefined,
  ): Span | undefined {
    const { tracer } = this.services
    if (tracer === undefined) return undefined
    const remote = incoming?.spanContext
    const trust = remote === undefined ? undefined : this.effectiveTerms?.trust
    if (this.inheritsUnsampled()) return this.unsampledSpan(undefined)
    const parent = trust === 'parent' ? remote : undefined
    if (!this.mayAsk(parent !== undefined || this.segment !== undefined)) return this.unsampledSpan(parent)
    if (!this.takeRoot(message)) return this.overBudgetSpan(parent)
    const { root, child } = this.messageState()
    const preset = parent !== undefined && incoming?.isShared !== true ? child : root
    const options = kind === undefined || kind === preset.kind ? preset : { ...root, kind }
    const base = withoutSpan(active)
    const span =
      parent === undefined
        ? this.startRootProcess(tracer, message.process, options, base, trust === 'link' ? remote : undefined)
        : this.inherited(startSpan(tracer, message.process, options, withSpan(base, trace.wrapSpanContext(parent))))
    if (!isRecording(span)) this.giveBack()
    return span
  }

  /**
   * Starts the span of a message that starts a trace, or is a child of the connection's span.
   *
   * @param linked the context that came with the message, if the span is linked to it
   */
  private startRootProcess(
    tracer: Tracer,
    name: string,
    options: SpanOptions,
    base: Context,
    linked: SpanContext | undefined,
  ): Span | undefined {
    const links = linked === undefined ? undefined : [{ context: linked, attributes: MESSAGE_LINK }]
    const segment = this.nextSegment()
    if (segment !== undefined) {
      return startSpan(tracer, name, { ...options, links: links ?? [] }, withSpan(base, segment))
    }
    const all = links === undefined ? options : { ...options, links: [...this.handshakeLinks(), ...links] }
    return this.inherited(startSpan(tracer, name, all, base))
  }
}

function describeFrames(span: Span, { frames, receiveTime }: IncomingFrames): void {
  setAttribute(span, schema.ATTR_WEBSOCKET_MESSAGE_FRAMES, frames)
  setAttribute(span, schema.ATTR_WEBSOCKET_MESSAGE_RECEIVE_TIME, receiveTime)
}
