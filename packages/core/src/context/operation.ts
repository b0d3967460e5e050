import { type Context, context, type Span, SpanStatusCode } from '@opentelemetry/api'
import { ATTR_ERROR_TYPE, ATTR_WEBSOCKET_SPAN_ENDED_BY } from '../schema.ts'
import { errorType } from '../span/diagnostics.ts'
import type { Expirable, SpanDeadlines } from './deadlines.ts'
import { follow } from './promises.ts'
import { SpanScope } from './span-scope.ts'

/**
 * Marks a span as failed: status, `error.type`, and the exception itself, once. Formatting a stack may take longer than
 * what failed: the span is to end with a time that was taken before.
 *
 * @param at when it failed, on the monotonic clock
 */
export function recordError(span: Span, error: unknown, at?: number): void {
  if (!span.isRecording()) return
  const type = errorType(error)
  span.setAttribute(ATTR_ERROR_TYPE, type)
  const message = error instanceof Error ? error.message : typeof error === 'string' ? error : undefined
  span.setStatus(message === undefined ? { code: SpanStatusCode.ERROR } : { code: SpanStatusCode.ERROR, message })
  span.recordException(error instanceof Error ? error : (message ?? type), at)
}

/** What operations need of the telemetry that they belong to. */
export interface OperationHost {
  readonly deadlines: Pick<SpanDeadlines, 'add' | 'delete' | 'now'>
  /** Told when user code of ours starts and ends to run synchronously. */
  readonly sendBatch: { enterRun(): void; leaveRun(): void }
}

/** The innermost operation whose code runs at this moment, until it first waits: also where there is no context manager. */
let running: Operation | undefined

export function runningOperation(): Operation | undefined {
  return running
}

/**
 * A piece of user code that one of our spans covers: it runs in this frame, and the span ends when the code has
 * returned and everything that it left pending has settled. There is one path to the end and it is taken once.
 */
export abstract class Operation extends SpanScope implements Expirable {
  /** Milliseconds on the monotonic clock; 0 when nobody measures. */
  readonly startTime: number
  /** When the span ended, by the expiry's coarse clock; 0 before. */
  endedAt = 0
  protected readonly telemetry: OperationHost
  #pending = 1
  #held = false
  #settled = false
  #failed = false
  #error: unknown

  constructor(telemetry: OperationHost, parent: Context, span: Span | undefined, startTime: number) {
    super(parent, span)
    this.startTime = startTime
    this.telemetry = telemetry
  }

  /** True while what is sent in this context belongs under the operation's span. */
  abstract get adopts(): boolean

  /**
   * Calls `dispatch` with this operation and three arguments, in the operation's context. Takes its arguments one by
   * one so that no closure is made per message. Returns and throws what `dispatch` returns and throws.
   */
  run<A, B, C, R>(dispatch: (operation: this, a: A, b: B, c: C) => R, a: A, b: B, c: C): R {
    const { sendBatch } = this.telemetry
    const outer = running
    running = this
    sendBatch.enterRun()
    try {
      return this.span === undefined ? dispatch(this, a, b, c) : context.with(this, dispatch, undefined, this, a, b, c)
    } catch (error) {
      this.fail(error)
      throw error
    } finally {
      running = outer
      sendBatch.leaveRun()
      this.done()
    }
  }

  /** True once the user's code, and all that it left pending, has settled. */
  get settled(): boolean {
    return this.#settled
  }

  /** True once user code has failed. */
  get failed(): boolean {
    return this.#failed
  }

  /** What user code failed with first. */
  get error(): unknown {
    return this.#error
  }

  /** Keeps the operation open until `done()` is called once more. */
  hold(): void {
    this.#pending++
    if (!this.#held) {
      this.#held = true
      this.telemetry.deadlines.add(this)
    }
  }

  /** Gives back one `hold()`, or the hold that a new operation starts with. */
  done(): void {
    if (--this.#pending > 0 || this.#settled) return
    this.#settled = true
    if (this.#held) this.telemetry.deadlines.delete(this)
    this.onSettled(this.#failed, this.#error)
    this.#end()
    this.#error = undefined
  }

  /** Tells the operation that user code failed; the first error is the one that is recorded. */
  fail(error: unknown): void {
    if (this.#failed) return
    this.#failed = true
    this.#error = error
  }

  /** Follows what a handler returned, as {@link follow} says. */
  follow(result: unknown, handled = false): void {
    follow(this, result, handled)
  }

  /** Ends the span although the code goes on. Metrics still tell the true duration when it settles. */
  expire(reason: 'age' | 'shutdown'): void {
    this.span?.setAttribute(ATTR_WEBSOCKET_SPAN_ENDED_BY, reason)
    this.#end()
  }

  /** Called once, when everything has settled and before the span ends. */
  protected abstract onSettled(failed: boolean, error: unknown): void

  #end(): void {
    const { span } = this
    if (span === undefined) return
    const endTime = this.#failed ? performance.now() : undefined
    if (this.#failed) recordError(span, this.#error, endTime)
    this.endedAt = this.telemetry.deadlines.now()
    this.releaseSpan()
    span.end(endTime)
  }
}
