import type { Context, Span } from '@opentelemetry/api'
import type { PendingAck } from '../connection/pending-ack.ts'
import { unref } from '../context/deadlines.ts'
import { recordError } from '../context/operation.ts'
import { follow } from '../context/promises.ts'
import { SpanScope } from '../context/span-scope.ts'
import { ATTR_WEBSOCKET_SPAN_ENDED_BY } from '../schema.ts'
import type { MessageName } from '../span/names.ts'
import type { ClientSeries } from './metrics.ts'

/** Milliseconds after which the span of a message whose handlers do not settle ends. */
const MAX_AGE = 600_000
/** Milliseconds after its end for which a process span adopts what callbacks of its handlers send. */
const ADOPTION_TIME = 60_000

/**
 * The dispatch of one message to all of its handlers: the context that they run in. It lasts until they have returned and
 * every promise that they left pending has settled. What a server's {@link Process} is, without what only servers need.
 */
export class ClientProcess extends SpanScope {
  /** Milliseconds on the monotonic clock; 0 when nobody measures. */
  readonly #startTime: number
  readonly #series: ClientSeries | undefined
  readonly #message: MessageName
  #endedAt = 0
  #pending = 1
  #timer: ReturnType<typeof setTimeout> | undefined
  #failed = false
  #error: unknown
  #owed: PendingAck | undefined

  constructor(series: ClientSeries | undefined, message: MessageName, active: Context, span: Span | undefined) {
    super(active, span)
    this.#series = series
    this.#message = message
    this.#startTime = series?.recording || span?.isRecording() ? performance.now() : 0
    series?.started()
  }

  /** True while what is sent in this context belongs under the span: also what handlers send that answer in a callback. */
  get adopts(): boolean {
    return !this.ended || performance.now() - this.#endedAt < ADOPTION_TIME
  }

  /** True when the true duration is of interest to anybody, so that a dispatch should follow what handlers return. */
  get timed(): boolean {
    return this.#startTime !== 0
  }

  /** A handler failed; the first error is the one that is recorded. */
  fail(error: unknown): void {
    if (this.#failed) return
    this.#failed = true
    this.#error = error
    this.#owed?.cancel()
  }

  /** Follows what a handler returned, as {@link follow} says. */
  follow(result: unknown, handled?: boolean): void {
    follow(this, result, handled)
  }

  /** Keeps the process open until `done()` is called once more. */
  hold(): void {
    this.#pending++
    this.#timer ??= unref(setTimeout(() => this.#expire(), MAX_AGE))
  }

  /** The sender waits for an acknowledgement, which settles this as well. */
  waitForAck(ack: PendingAck): void {
    this.#owed = ack
    this.hold()
  }

  /** Gives back one `hold()`, or the hold that a new process starts with. */
  done(): void {
    if (--this.#pending !== 0) return
    clearTimeout(this.#timer)
    this.#series?.settled(this.#message, this.#startTime, this, this.#failed, this.#error)
    this.#end()
  }

  /** Ends the span although handlers go on. Metrics still tell the true duration when they settle. */
  #expire(): void {
    this.span?.setAttribute(ATTR_WEBSOCKET_SPAN_ENDED_BY, 'age')
    this.#end()
  }

  #end(): void {
    const { span } = this
    if (span === undefined) return
    this.#endedAt = performance.now()
    if (this.#failed) recordError(span, this.#error, this.#endedAt)
    this.#error = undefined
    this.releaseSpan()
    span.end(this.#endedAt)
  }
}
