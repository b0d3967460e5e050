import { endSpan, setAttribute } from '../api/span.ts'
import type { Operation } from '../context/operation.ts'
import { ATTR_WEBSOCKET_SPAN_ENDED_BY } from '../schema.ts'
import { errorType } from '../span/error-type.ts'
import type { OpenOperation, OperationScope } from './open-operation.ts'

/** The dispatch of a message on either end, which is counted while it runs and measured afterwards. */
export interface MeasuredProcess extends Operation {
  /** The process no longer counts as running. */
  leave(): void
  /** Records how long the handlers took, until this time on the monotonic clock, and whether the close has cut them. */
  recordDuration(handledAt: number, isCut: boolean): void
}

/** A class with these members. TypeScript asks for a constructor of any parameters where a class is extended by a function. */
// biome-ignore lint/suspicious/noExplicitAny: see above
type ClassOf<Members> = abstract new (...parameters: any[]) => Members

/** The members that {@link withOperation} adds. */
export interface OperationProcess extends OperationScope {
  readonly operation: OpenOperation
  /** Sets the operation that the message begins. Returns the process. */
  begin(operation: OpenOperation): this
}

/**
 * Makes the class of a message that begins an operation, from the class that this end dispatches messages with: its span
 * waits for the answer, and for its handlers.
 */
export function withOperation<Base extends ClassOf<MeasuredProcess>>(Base: Base): Base & ClassOf<OperationProcess> {
  abstract class Answered extends Base implements OperationProcess {
    operation!: OpenOperation
    #isAwaited = true
    #isReverted = false
    #isFinished = false
    #hasReturned = false
    /** Milliseconds on the monotonic clock; 0 before. */
    #handledAt = 0

    begin(operation: OpenOperation): this {
      this.operation = operation
      this.waitForAck(operation)
      return this
    }

    release(): void {
      if (!this.#isAwaited) return
      this.#isAwaited = false
      if (this.#handledAt !== 0) this.#finish()
      else if (this.#hasReturned) this.startDeadline()
      this.stopWaiting()
    }

    /** Most handlers that answer at once have settled when they return: they need no deadline. */
    override done(): void {
      super.done()
      if (this.#hasReturned) return
      this.#hasReturned = true
      if (!this.#isAwaited && !this.settled) this.startDeadline()
    }

    cut(endedBy: 'disconnect' | 'shutdown' | undefined): void {
      this.#isAwaited = false
      this.#finish()
      if (endedBy === 'disconnect') {
        super.disconnect()
        return
      }
      if (endedBy !== undefined) setAttribute(this.span, ATTR_WEBSOCKET_SPAN_ENDED_BY, endedBy)
      this.settleNow()
    }

    detach(): void {
      this.cut(undefined)
      this.detachSpan()
    }

    revert(): void {
      if (this.settled) return
      this.#isAwaited = false
      this.#isReverted = true
      this.#isFinished = true
      if (this.#handledAt !== 0) {
        this.recordDuration(this.#handledAt, false)
        const { span } = this
        this.releaseSpan()
        endSpan(span, this.#handledAt)
      } else this.startDeadline()
      this.stopWaiting()
    }

    override disconnect(): void {
      this.#finish()
      super.disconnect()
    }

    /** Operations that are not answered have a deadline of their own. */
    protected override get hasDeadline(): boolean {
      return false
    }

    protected override onHandled(isCut: boolean): void {
      this.#handledAt = performance.now()
      this.leave()
      if (this.#isReverted) this.recordDuration(this.#handledAt, isCut)
      else if (isCut || !this.#isAwaited) this.#finish()
    }

    protected override onFailedLate(error: unknown): void {
      if (this.#isReverted) super.onFailedLate(error)
    }

    #finish(): void {
      if (this.#isFinished) return
      this.#isFinished = true
      if (this.failed) this.operation.failed(errorType(this.error))
      this.operation.scopeEnds()
    }
  }
  return Answered
}

/** Makes the class of a message with several requests: their operations record the durations. */
export function withBatch<Base extends ClassOf<MeasuredProcess>>(Base: Base): Base {
  abstract class Batch extends Base {
    protected override onHandled(): void {
      this.leave()
    }

    protected override onFailedLate(): void {}
  }
  return Batch
}

/** The members that {@link withoutOwnSpan} adds. */
export interface QuietProcess {
  /**
   * Sets what is called once the handlers have returned, and whether their duration is recorded. Returns the process.
   */
  begin(onReturn: (() => void) | undefined, isMeasured: boolean): this
}

/** Makes the class of a message that has no span of its own: it is dispatched in the context of what it belongs to. */
export function withoutOwnSpan<Base extends ClassOf<MeasuredProcess>>(Base: Base): Base & ClassOf<QuietProcess> {
  abstract class Quiet extends Base implements QuietProcess {
    #isMeasured = false
    #onReturn: (() => void) | undefined

    begin(onReturn: (() => void) | undefined, isMeasured: boolean): this {
      this.#onReturn = onReturn
      this.#isMeasured = isMeasured
      return this
    }

    override get isQuiet(): boolean {
      return true
    }

    /** What handlers return is followed only if their duration is recorded. */
    override get timed(): boolean {
      return this.#isMeasured && super.timed
    }

    override done(): void {
      const onReturn = this.#onReturn
      this.#onReturn = undefined
      onReturn?.()
      super.done()
    }

    protected override onHandled(isCut: boolean): void {
      this.leave()
      if (this.#isMeasured) this.recordDuration(performance.now(), isCut)
    }

    protected override onFailedLate(): void {}
  }
  return Quiet
}
