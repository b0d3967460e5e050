import type { Context, Span } from '@opentelemetry/api'
import { endSpan, isRecording, setAttribute } from '../api/span.ts'
import { ATTR_WEBSOCKET_ACK_OUTCOME, ATTR_WEBSOCKET_PROCESS_END, ATTR_WEBSOCKET_SPAN_ENDED_BY } from '../schema.ts'
import { recordError, recordRefusal } from '../span/failure.ts'
import type { AckOutcome } from './ack.ts'
import type { Expirable } from './deadlines.ts'
import { follow, isAsyncFunction, isFollowable } from './promises.ts'
import { SpanScope } from './span-scope.ts'

/** An acknowledgement that an operation waits for. */
export interface AwaitedAck {
  /** The operation waits no longer. */
  cancel(): void
}

/** A connection, as the list of its operations that have not settled. */
export interface OperationOwner {
  /** True once the connection has closed: nothing stays pending on it. */
  readonly closed: boolean
  newestPending: Operation | undefined
}

// Bits of `#state`: one small integer, because an operation is created per message.
const HELD = 1
const HANDLED = 2
const SETTLED = 4
const FAILED = 8
const CUT = 16
/** The bits above count the messages that are children of the span. */
const CHILD_BITS = 5
const ONE_CHILD = 1 << CHILD_BITS
const MAX_CHILDREN = 2 ** 25

/**
 * User code that one span covers, on either end. It is handled when the code has returned and the promises and streams
 * that it left pending have settled. The span ends once: when the acknowledgement that the operation waits for has been
 * sent too, or with the connection.
 *
 * Methods are `private` and not `#private`, which would cost each operation a field.
 */
export abstract class Operation extends SpanScope implements Expirable {
  /** Milliseconds on the monotonic clock; 0 if no duration is recorded. */
  readonly startTime: number
  /** When the span ended, on the clock of `now()`; 0 before. */
  endedAt = 0
  #pending = 1
  #state = 0
  #error: unknown
  #ack: AwaitedAck | undefined
  /** Neighbours in the list of the owner's operations that have not settled. */
  #older: Operation | undefined
  #newer: Operation | undefined

  constructor(parent: Context, span: Span | undefined, startTime: number) {
    super(parent, span)
    this.startTime = startTime
  }

  /** True while messages sent in this context become children of the span. */
  abstract get adopts(): boolean

  /** The connection that ends the operation at its close; `undefined` for operations that outlive it. */
  abstract readonly owner: OperationOwner | undefined

  /** True if the promises of all handlers are followed: option `followPromises` is `all`. */
  protected abstract get followsAll(): boolean

  /** A handler that is no `async` function returned a promise, which is not followed. */
  protected abstract onNotFollowed(handler: unknown): void

  /** True if an error of the handler sets the status of the span. */
  protected isError(_error: unknown): boolean {
    return true
  }

  /** True if the code runs in the operation's context although it has no span. */
  get isQuiet(): boolean {
    return false
  }

  /** False if something else ends the span when it has been open for too long. */
  protected get hasDeadline(): boolean {
    return true
  }

  /** True if a duration is recorded, so that a dispatch should follow the promises that handlers return. */
  get timed(): boolean {
    return this.startTime !== 0
  }

  /** True once the user's code, and all that it left pending, has settled. */
  get settled(): boolean {
    return (this.#state & SETTLED) !== 0
  }

  /** True once user code has failed. */
  get failed(): boolean {
    return (this.#state & FAILED) !== 0
  }

  /** The first error of user code. */
  get error(): unknown {
    return this.#error
  }

  /** Counts a message that becomes a child of the span; false if it has `limit` of them, or more than can be counted. */
  adopt(limit: number): boolean {
    if (this.#state >> CHILD_BITS >= Math.min(limit, MAX_CHILDREN)) return false
    this.#state += ONE_CHILD
    return true
  }

  /** Keeps the operation open until `done()` is called once more. */
  hold(): void {
    this.#pending++
    this.keep()
  }

  /** Releases one `hold()`, or the hold that a new operation starts with. */
  done(): void {
    if (--this.#pending <= 0) this.handled()
    else if (this.owner?.closed === true) this.disconnect()
  }

  /** Records that user code failed. Only the first error is kept. */
  fail(error: unknown): void {
    if (this.failed) return
    this.#state |= FAILED
    if ((this.#state & CUT) !== 0) this.onFailedLate(error)
    if (this.settled) return
    this.#error = error
    const ack = this.#ack
    if (ack === undefined) return
    // Whether the handler would have acknowledged is unknown, and its span does not wait for it.
    this.#ack = undefined
    ack.cancel()
    this.settleIfHandled()
  }

  /**
   * Follows the promise that a handler returned, see {@link follow}: that of an `async` function, and all others if the host
   * handles their rejection or option `followPromises` is `all`. Else the span says that the handler has only returned.
   *
   * @param handler the application's function
   * @param handled the host takes care of a rejection
   */
  follow(result: unknown, handler: unknown, handled = false): void {
    if (typeof result !== 'object' || result === null) return
    if (handled || this.followsAll || isAsyncFunction(handler)) follow(this, result, handled)
    else if (isFollowable(result)) {
      setAttribute(this.span, ATTR_WEBSOCKET_PROCESS_END, 'returned')
      this.onNotFollowed(handler)
    }
  }

  /** Keeps the span open until the peer gets this acknowledgement, in place of an earlier one. */
  waitForAck(ack: AwaitedAck): void {
    this.#ack?.cancel()
    this.#ack = ack
    this.keep()
  }

  /** The acknowledgement was sent, or cannot be sent any more. */
  ackSettled(outcome: AckOutcome): void {
    if (this.#ack === undefined) return
    this.#ack = undefined
    this.onAckSettled(outcome)
    const { span } = this
    setAttribute(span, ATTR_WEBSOCKET_ACK_OUTCOME, outcome)
    if (outcome === 'disconnected') setAttribute(span, ATTR_WEBSOCKET_SPAN_ENDED_BY, 'disconnect')
    this.settleIfHandled()
  }

  /** Ends the span although the code goes on. Metrics record the whole duration when it settles. */
  expire(reason: 'age' | 'shutdown'): void {
    this.endBy(reason)
  }

  /** What `waitForAck` waits for has come, without an outcome of an acknowledgement. */
  protected stopWaiting(): void {
    if (this.#ack === undefined) return
    this.#ack = undefined
    this.settleIfHandled()
  }

  /** Ends the span now, although handlers may go on: what they do later is not part of it. */
  settleNow(): void {
    if (this.settled) return
    if ((this.#state & HANDLED) === 0) {
      this.#state |= HANDLED
      this.onHandled(false)
    }
    this.settle()
  }

  /** The connection has closed: whatever is pending ends now, in spans and metrics. */
  disconnect(): void {
    if (this.settled) return
    if ((this.#state & HANDLED) === 0) {
      this.#state |= HANDLED | CUT
      this.onHandled(true)
    }
    this.settle('disconnect')
  }

  /**
   * Ends all operations that are pending when their connection closes.
   *
   * @param running its code is running now: it ends after that
   */
  static disconnectAll(owner: OperationOwner, running: Operation | undefined): void {
    let operation = owner.newestPending
    while (operation !== undefined) {
      const older: Operation | undefined = operation.#older
      if (operation !== running) operation.disconnect()
      operation = older
    }
  }

  /** The time that `endedAt` is measured by, in milliseconds. It may be coarse. */
  protected abstract now(): number

  /** Has `expire` called when the operation stays open for too long. */
  protected abstract startDeadline(): void

  protected abstract clearDeadline(): void

  /**
   * Called once, before the span ends: user code has settled, or the connection has closed before.
   *
   * @param isCut the connection has closed before
   */
  protected abstract onHandled(isCut: boolean): void

  /** User code failed after it was cut. */
  protected onFailedLate(_error: unknown): void {}

  /** The acknowledgement has this outcome. */
  protected onAckSettled(_outcome: AckOutcome): void {}

  /** Called once, when everything has settled and before the span ends. */
  protected onSettled(_endedBy: 'disconnect' | undefined): void {}

  /** Sets attributes on the span that are known at its end. */
  protected describeEnd(_span: Span): void {}

  private keep(): void {
    if ((this.#state & HELD) !== 0) return
    this.#state |= HELD
    if (this.hasDeadline) this.startDeadline()
    const { owner } = this
    if (owner === undefined) return
    const older = owner.newestPending
    this.#older = older
    if (older !== undefined) older.#newer = this
    owner.newestPending = this
  }

  private handled(): void {
    if ((this.#state & HANDLED) !== 0) return
    this.#state |= HANDLED
    this.onHandled(false)
    if (this.#ack === undefined) this.settle()
  }

  private settleIfHandled(): void {
    if ((this.#state & (HANDLED | SETTLED)) === HANDLED) this.settle()
  }

  private settle(endedBy?: 'disconnect'): void {
    this.#state |= SETTLED
    if ((this.#state & HELD) !== 0) this.forget()
    this.onSettled(endedBy)
    if (endedBy === undefined) this.end()
    else this.endBy(endedBy)
    this.#error = undefined
  }

  /** Takes the operation out of the lists of what is pending. */
  private forget(): void {
    this.clearDeadline()
    const { owner } = this
    if (owner === undefined) return
    const older = this.#older
    const newer = this.#newer
    if (older !== undefined) older.#newer = newer
    if (newer === undefined) owner.newestPending = older
    else newer.#older = older
    this.#older = undefined
    this.#newer = undefined
  }

  private endBy(reason: 'age' | 'shutdown' | 'disconnect'): void {
    setAttribute(this.span, ATTR_WEBSOCKET_SPAN_ENDED_BY, reason)
    this.end()
  }

  private end(): void {
    const { span, failed } = this
    if (span === undefined) return
    const endTime = failed ? performance.now() : undefined
    if (failed && this.isError(this.#error)) recordError(span, this.#error, endTime)
    else if (failed) recordRefusal(span, this.#error)
    if (isRecording(span)) this.describeEnd(span)
    this.endedAt = this.now()
    this.releaseSpan()
    endSpan(span, endTime)
  }
}

/** Milliseconds after its end for which a process span still adopts the messages that callbacks of its handlers send. */
export const ADOPTION_TIME = 60_000
