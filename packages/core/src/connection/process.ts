import type { Attributes, Context, Counter, Histogram, Span, SpanOptions } from '@opentelemetry/api'
import { activeContext } from '../api/context.ts'
import { endSpan, isRecording, renameSpan, setAttribute } from '../api/span.ts'
import type { AckOutcome } from '../context/ack.ts'
import { ADOPTION_TIME, type OperationOwner } from '../context/operation.ts'
import { type OperationServices, runningOperation, ServerOperation } from '../context/server-operation.ts'
import { spanScopeOf } from '../context/span-scope.ts'
import type { Series } from '../metrics/series.ts'
import type { MeasuredProcess } from '../operations/operation-process.ts'
import type { HandlerInfo } from '../options/types.ts'
import { ATTR_CODE_FUNCTION_NAME, ATTR_WEBSOCKET_ACK_OUTCOME, ATTR_WEBSOCKET_SPAN_ENDED_BY } from '../schema.ts'
import type { KeepCause, Keeper, KeepReason, UnsampledMessage } from '../services/keeper.ts'
import { describeMessage, describeName } from '../span/describe.ts'
import { errorType } from '../span/error-type.ts'
import { recordError, recordRefusal } from '../span/failure.ts'
import type { MessageName } from '../span/names.ts'
import type { AggregateWindow } from './aggregate.ts'

/** The members of a connection that a process uses. */
export interface ProcessConnection extends OperationOwner {
  readonly id: string
  readonly route: string | undefined
  readonly series: Pick<Series, 'processing' | 'named' | 'failed'>
  /** The connection has ended, and was not meant to. Known with option `keep` alone. */
  readonly endedAbnormally: boolean
  /** The handlers of a message have settled that shares a span. */
  settledIn(window: AggregateWindow, duration: number, hasFailed: boolean): void
  /** Starts the span of a message that was not sampled and is kept. */
  startKept(name: string, cause: KeepCause, now: number, options: SpanOptions, active: Context): Span | undefined
  readonly services: OperationServices & {
    readonly keeper: Keeper | undefined
    readonly metrics: {
      readonly recording: boolean
      readonly processDuration: Histogram
      readonly ackDuration: Histogram
      readonly lateFailures: Counter
    }
  }
}

/** A streamed answer whose figures are recorded on the process span. */
export interface AttachedStream {
  describe(span: Span): void
}

/** The dispatch of one message to all handlers of a server. */
export class Process extends ServerOperation implements MeasuredProcess {
  override readonly owner: ProcessConnection
  /** Set if the message was not sampled, with option `keep` alone. Declared only: a field would cost every message. */
  declare unsampled?: UnsampledMessage
  /** Set if the message is one of those that share a span, by option `aggregate`. */
  declare window?: AggregateWindow
  #message: MessageName
  #stream: AttachedStream | undefined
  #hasHandler = false

  /** @param isMeasured how long it takes must be known, whatever is recorded of it */
  constructor(
    connection: ProcessConnection,
    message: MessageName,
    active: Context,
    span: Span | undefined,
    isMeasured = false,
  ) {
    const { services } = connection
    const isTimed =
      isMeasured || services.metrics.recording || isRecording(span) || services.keeper?.mayKeep(span) === true
    super(services, active, span, isTimed ? performance.now() : 0)
    this.owner = connection
    this.#message = message
    connection.series.processing++
  }

  /**
   * Handlers that answer in a callback return, and so end the span, before they send. Messages that they send soon after
   * belong to the same trace; those of a subscription that sends for hours do not.
   */
  override get adopts(): boolean {
    return this.endedAt === 0 || this.now() - this.endedAt < ADOPTION_TIME
  }

  get connection(): ProcessConnection {
    return this.owner
  }

  get message(): MessageName {
    return this.#message
  }

  /** The stream that was attached last. */
  get stream(): AttachedStream | undefined {
    return this.#stream
  }

  /**
   * Sets the handler of the message, such as `ChatGateway.onMessage`, and the name that the handler is registered under,
   * for messages whose own name cannot be read. Only the first of several handlers is recorded.
   */
  handledBy(functionName: string | undefined, message?: MessageName): void {
    const span = isRecording(this.span) ? this.span : undefined
    if (message !== undefined && this.#message.name === undefined) {
      this.#message = message
      if (span !== undefined) {
        renameSpan(span, message.process)
        describeName(span, message)
      }
    }
    if (functionName === undefined || this.#hasHandler) return
    this.#hasHandler = true
    setAttribute(span, ATTR_CODE_FUNCTION_NAME, functionName)
  }

  /** Records the figures of this stream on the span, in place of those of an earlier one, and waits for its end. */
  attach(stream: AttachedStream): void {
    this.#stream = stream
    this.hold()
  }

  protected override get handlerInfo(): HandlerInfo {
    const { id, route } = this.owner
    return { kind: 'message', connectionId: id, route, name: this.#message.name }
  }

  leave(): void {
    this.owner.series.processing--
  }

  protected override onHandled(isCut: boolean): void {
    this.leave()
    this.recordDuration(performance.now(), isCut)
  }

  /** Records how long the handlers took, until this time on the monotonic clock. */
  recordDuration(handledAt: number, isCut: boolean): void {
    const { owner: connection, failed, startTime } = this
    const { metrics } = connection.services
    if (!metrics.recording || startTime === 0) return
    const attributes = failed ? failedBy(this, this.error) : connection.series.named(this.#message)
    metrics.processDuration.record(
      (handledAt - startTime) / 1000,
      isCut ? { ...attributes, [ATTR_WEBSOCKET_SPAN_ENDED_BY]: 'disconnect' } : attributes,
      this,
    )
  }

  protected override onSettled(endedBy: 'disconnect' | undefined): void {
    const { window, unsampled } = this
    if (window !== undefined)
      this.owner.settledIn(window, performance.now() - this.startTime, this.failure !== undefined)
    if (unsampled !== undefined) this.keepUnsampled(unsampled, endedBy)
  }

  /** Records a message that was not sampled, if option `keep` says so. */
  protected keepUnsampled(
    { closes, kind, binary, size, sequence }: UnsampledMessage,
    endedBy: 'disconnect' | undefined,
  ): void {
    const { owner: connection, message, startTime } = this
    const { keeper } = connection.services
    if (keeper === undefined) return
    const now = performance.now()
    const failure = keeper.errors ? this.failure : undefined
    const hasClosed = keeper.errors && (closes || (endedBy !== undefined && connection.endedAbnormally))
    const isSlow = now - startTime > keeper.threshold(this.subject)
    const reason: KeepReason | undefined =
      failure !== undefined ? 'error' : hasClosed ? 'close' : isSlow ? 'slow' : undefined
    if (reason === undefined) return
    const cause = { reason, type: failure ?? reason, subject: this.subject }
    const span = connection.startKept(message.process, cause, now, { kind, startTime }, this)
    if (span === undefined) return
    describeMessage(span, message, binary, size, sequence)
    if (this.failed && this.isError(this.error)) recordError(span, this.error, now)
    else if (this.failed) recordRefusal(span, this.error)
    if (endedBy !== undefined) setAttribute(span, ATTR_WEBSOCKET_SPAN_ENDED_BY, endedBy)
    this.describeEnd(span)
    endSpan(span, now)
  }

  /** What names the message for option `keep`. */
  protected get subject(): string | undefined {
    return this.message.name
  }

  /** The type of the error that the message has ended with; `undefined` if it has not failed. */
  protected get failure(): string | undefined {
    return this.failed && this.isError(this.error) ? errorType(this.error) : undefined
  }

  protected override onFailedLate(error: unknown): void {
    const { metrics } = this.owner.services
    if (metrics.recording) metrics.lateFailures.add(1, failedBy(this, error), this)
  }

  protected override onAckSettled(outcome: AckOutcome): void {
    const { owner: connection, startTime } = this
    const { metrics } = connection.services
    if (!metrics.recording || startTime === 0) return
    const attributes = { ...connection.series.named(this.#message), [ATTR_WEBSOCKET_ACK_OUTCOME]: outcome }
    metrics.ackDuration.record((performance.now() - startTime) / 1000, attributes, this)
  }

  /** Records how far a stream has come that may go on after the span. */
  protected override describeEnd(span: Span): void {
    this.#stream?.describe(span)
  }
}

/** A function, because a private method would cost each process a field. */
function failedBy({ owner, message }: Process, error: unknown): Attributes {
  return owner.series.failed(message, errorType(error))
}

/** The process that the calling code is part of, on any connection. */
export function activeProcess(): Process | undefined {
  const running = runningOperation()
  if (running instanceof Process) return running
  const scope = spanScopeOf(activeContext())
  return scope instanceof Process ? scope : undefined
}
