import type { Context, Histogram, Span } from '@opentelemetry/api'
import { errorType } from './diagnostics.ts'
import type { Series } from './metrics.ts'
import type { MessageName } from './names.ts'
import { Operation, type OperationHost } from './operation.ts'
import type { Stream } from './stream.ts'

/** Milliseconds, give or take a sweep of the expiry, after its end for which a process span adopts what callbacks of its handler send. */
const ADOPTION_TIME = 60_000

/** What a process span needs of its connection, on either end. */
export interface ProcessConnection {
  readonly series: Series
  readonly telemetry: OperationHost & {
    readonly metrics: { readonly recording: boolean; readonly processDuration: Histogram }
  }
}

/** The dispatch of one message to all of its handlers. */
export class Process extends Operation {
  readonly connection: ProcessConnection
  readonly message: MessageName
  #stream: Stream | undefined

  constructor(connection: ProcessConnection, message: MessageName, active: Context, span: Span | undefined) {
    const { telemetry } = connection
    super(telemetry, active, span, telemetry.metrics.recording || span?.isRecording() ? performance.now() : 0)
    this.connection = connection
    this.message = message
    connection.series.processing++
  }

  /**
   * Handlers that answer in a callback have returned, and so ended the span, before they send: what they send soon
   * after is part of the same trace. A subscription that sends for hours is not.
   */
  override get adopts(): boolean {
    return !this.ended || this.telemetry.expiry.now() - this.endedAt < ADOPTION_TIME
  }

  /** True when the true duration is of interest to anybody, so that a dispatch should follow what handlers return. */
  get timed(): boolean {
    return this.startTime !== 0
  }

  /** The stream whose figures stand on this span; the latest one wins. */
  attach(stream: Stream): void {
    this.#stream = stream
    this.hold()
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
