import { type Context, context, type Histogram, type Span } from '@opentelemetry/api'
import { Operation, type OperationHost, runningOperation } from '../context/operation.ts'
import { spanScopeOf } from '../context/span-scope.ts'
import type { Series } from '../metrics/set.ts'
import { ATTR_CODE_FUNCTION_NAME } from '../schema.ts'
import { describeName } from '../span/describe.ts'
import { errorType } from '../span/diagnostics.ts'
import type { MessageName } from '../span/names.ts'
import type { PendingAck } from './pending-ack.ts'
import type { Stream } from './stream.ts'

/** Milliseconds, give or take a sweep of the expiry, after its end for which a process span adopts what callbacks of its handler send. */
const ADOPTION_TIME = 60_000

/** What a process span needs of its connection, on either end. */
export interface ProcessConnection {
  readonly series: Pick<Series, 'processing' | 'named' | 'failed'>
  readonly telemetry: OperationHost & {
    readonly metrics: { readonly recording: boolean; readonly processDuration: Histogram }
  }
}

/** The dispatch of one message to all of its handlers. */
export class Process extends Operation {
  readonly connection: ProcessConnection
  #message: MessageName
  #stream: Stream | undefined
  #isHandled = false
  #owed: PendingAck | undefined

  constructor(connection: ProcessConnection, message: MessageName, active: Context, span: Span | undefined) {
    const { telemetry } = connection
    super(telemetry, active, span, telemetry.metrics.recording || span?.isRecording() ? performance.now() : 0)
    this.connection = connection
    this.#message = message
    connection.series.processing++
  }

  /**
   * Handlers that answer in a callback have returned, and so ended the span, before they send: what they send soon
   * after is part of the same trace. A subscription that sends for hours is not.
   */
  override get adopts(): boolean {
    return !this.ended || this.telemetry.deadlines.now() - this.endedAt < ADOPTION_TIME
  }

  /** True when the true duration is of interest to anybody, so that a dispatch should follow what handlers return. */
  get timed(): boolean {
    return this.startTime !== 0
  }

  get message(): MessageName {
    return this.#message
  }

  /** The stream that was attached last. */
  get stream(): Stream | undefined {
    return this.#stream
  }

  /**
   * Tells which handler takes the message, such as `ChatGateway.onMessage`, and the name that it is registered under,
   * for a message whose own name was not to be read. The first handler of several counts.
   */
  handledBy(functionName: string | undefined, message?: MessageName): void {
    const span = this.span?.isRecording() ? this.span : undefined
    if (message !== undefined && this.#message.name === undefined) {
      this.#message = message
      if (span !== undefined) describeName(span.updateName(message.process), message)
    }
    if (functionName === undefined || this.#isHandled) return
    this.#isHandled = true
    span?.setAttribute(ATTR_CODE_FUNCTION_NAME, functionName)
  }

  /** The stream whose figures stand on this span; the latest one wins. */
  attach(stream: Stream): void {
    this.#stream = stream
    this.hold()
  }

  /** A stream that goes on after its span tells it how far it has come. */
  override expire(reason: 'age' | 'shutdown'): void {
    if (this.span !== undefined) this.#stream?.describe(this.span)
    super.expire(reason)
  }

  /** The sender waits for an acknowledgement, which settles this as well. */
  waitForAck(ack: PendingAck): void {
    this.#owed = ack
    this.hold()
  }

  override fail(error: unknown): void {
    super.fail(error)
    this.#owed?.cancel()
  }

  protected override onSettled(failed: boolean, error: unknown): void {
    const { connection, message, startTime, span } = this
    const { series } = connection
    series.processing--
    const { metrics } = connection.telemetry
    if (metrics.recording && startTime !== 0) {
      const attributes = failed ? series.failed(message, errorType(error)) : series.named(message)
      metrics.processDuration.record((performance.now() - startTime) / 1000, attributes, this)
    }
    if (span !== undefined) this.#stream?.describe(span)
  }
}

/** The process that the calling code is part of, whatever its connection. */
export function activeProcess(): Process | undefined {
  const running = runningOperation()
  if (running instanceof Process) return running
  const frame = spanScopeOf(context.active())
  return frame instanceof Process ? frame : undefined
}
