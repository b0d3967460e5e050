import type { Context, Span } from '@opentelemetry/api'
import { ATTR_WEBSOCKET_SPAN_ENDED_BY } from '../schema.ts'
import { recordError } from '../span/failure.ts'
import type { Expirable } from './deadlines.ts'
import { follow } from './promises.ts'
import { SpanScope } from './span-scope.ts'

/** An acknowledgement that an operation waits for. */
export interface AwaitedAck {
  /** The handler failed: the operation waits no longer. */
  cancel(): void
}

/**
 * User code that one span covers, on either end. The span ends once, when the code has returned and everything that it
 * left pending has settled: promises, streams, acknowledgements.
 */
export abstract class Operation extends SpanScope implements Expirable {
  /** Milliseconds on the monotonic clock; 0 if no duration is recorded. */
  readonly startTime: number
  /** When the span ended, on the clock of `now()`; 0 before. */
  endedAt = 0
  #pending = 1
  #isHeld = false
  #settled = false
  #failed = false
  #error: unknown
  #ack: AwaitedAck | undefined

  constructor(parent: Context, span: Span | undefined, startTime: number) {
    super(parent, span)
    this.startTime = startTime
  }

  /** True while messages sent in this context become children of the span. */
  abstract get adopts(): boolean

  /** True if a duration is recorded, so that a dispatch should follow the promises that handlers return. */
  get timed(): boolean {
    return this.startTime !== 0
  }

  /** True once the user's code, and all that it left pending, has settled. */
  get settled(): boolean {
    return this.#settled
  }

  /** True once user code has failed. */
  get failed(): boolean {
    return this.#failed
  }

  /** The first error of user code. */
  get error(): unknown {
    return this.#error
  }

  /** Keeps the operation open until `done()` is called once more. */
  hold(): void {
    this.#pending++
    if (this.#isHeld) return
    this.#isHeld = true
    this.startDeadline()
  }

  /** Releases one `hold()`, or the hold that a new operation starts with. */
  done(): void {
    if (--this.#pending > 0 || this.#settled) return
    this.#settled = true
    if (this.#isHeld) this.clearDeadline()
    this.onSettled(this.#failed, this.#error)
    this.#end()
    this.#error = undefined
  }

  /** Records that user code failed. Only the first error is kept. */
  fail(error: unknown): void {
    if (this.#failed) return
    this.#failed = true
    this.#error = error
    this.#ack?.cancel()
  }

  /** Follows the result of a handler, see {@link follow}. */
  follow(result: unknown, handled = false): void {
    follow(this, result, handled)
  }

  /** Keeps the operation open until the peer gets the acknowledgement that it waits for. */
  waitForAck(ack: AwaitedAck): void {
    this.#ack = ack
    this.hold()
  }

  /** Ends the span although the code goes on. Metrics record the whole duration when it settles. */
  expire(reason: 'age' | 'shutdown'): void {
    this.span?.setAttribute(ATTR_WEBSOCKET_SPAN_ENDED_BY, reason)
    this.#end()
  }

  /** The time that `endedAt` is measured by, in milliseconds. It may be coarse. */
  protected abstract now(): number

  /** Has `expire` called when the operation stays open for too long. */
  protected abstract startDeadline(): void

  protected abstract clearDeadline(): void

  /** Called once, when everything has settled and before the span ends. */
  protected abstract onSettled(failed: boolean, error: unknown): void

  #end(): void {
    const { span } = this
    if (span === undefined) return
    const endTime = this.#failed ? performance.now() : undefined
    if (this.#failed) recordError(span, this.#error, endTime)
    this.endedAt = this.now()
    this.releaseSpan()
    span.end(endTime)
  }
}

/** Milliseconds after its end for which a process span still adopts the messages that callbacks of its handlers send. */
export const ADOPTION_TIME = 60_000
