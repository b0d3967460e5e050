import type { Context, Span } from '@opentelemetry/api'
import { endSpan, setAttribute } from '../api/span.ts'
import type { OpenOperation, OperationScope } from '../operations/open-operation.ts'
import { ATTR_WEBSOCKET_SPAN_ENDED_BY } from '../schema.ts'
import { errorType } from '../span/error-type.ts'
import type { MessageName } from '../span/names.ts'
import type { ClientSeries } from './metrics.ts'
import { ClientProcess, type ClientProcessOwner } from './process.ts'

/** The process of a request that the server has sent: its span waits for the answer, and for its handlers. */
export class ClientOperationProcess extends ClientProcess implements OperationScope {
  readonly operation: OpenOperation
  readonly #ownSeries: ClientSeries | undefined
  #isAwaited = true
  #isReverted = false
  #isFinished = false
  /** Milliseconds on the monotonic clock; 0 before. */
  #handledAt = 0

  constructor(
    owner: ClientProcessOwner,
    series: ClientSeries | undefined,
    message: MessageName,
    active: Context,
    span: Span | undefined,
    operation: OpenOperation,
  ) {
    super(owner, series, message, active, span)
    this.operation = operation
    this.#ownSeries = series
    // A handler that fails answers no more.
    this.waitForAck({ cancel: () => operation.end('error') })
  }

  release(): void {
    if (!this.#isAwaited) return
    this.#isAwaited = false
    if (this.#handledAt !== 0) this.#finish()
    else super.startDeadline()
    this.stopWaiting()
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
      this.#ownSeries?.record(this, this.#handledAt, false)
      const { span } = this
      this.releaseSpan()
      endSpan(span, this.#handledAt)
    } else super.startDeadline()
    this.stopWaiting()
  }

  override disconnect(): void {
    this.#finish()
    super.disconnect()
  }

  /** Operations that are not answered have a deadline of their own. */
  protected override startDeadline(): void {}

  protected override onHandled(isCut: boolean): void {
    this.#handledAt = performance.now()
    if (this.#isReverted) {
      super.onHandled(isCut)
      return
    }
    if (this.#ownSeries !== undefined) this.#ownSeries.processing--
    if (isCut || !this.#isAwaited) this.#finish()
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

/** The process of a message with several requests: operations record the durations. */
export class ClientBatchProcess extends ClientProcess {
  readonly #ownSeries: ClientSeries | undefined

  constructor(
    owner: ClientProcessOwner,
    series: ClientSeries | undefined,
    message: MessageName,
    active: Context,
    span: Span | undefined,
  ) {
    super(owner, series, message, active, span)
    this.#ownSeries = series
  }

  protected override onHandled(): void {
    if (this.#ownSeries !== undefined) this.#ownSeries.processing--
  }

  protected override onFailedLate(): void {}
}

/** The dispatch of a message that has no span of its own, in the context of what it belongs to. */
export class ClientQuietProcess extends ClientProcess {
  readonly #isMeasured: boolean
  #onReturn: (() => void) | undefined

  /** @param series records the duration of the handlers; `undefined` if it is not recorded */
  constructor(
    owner: ClientProcessOwner,
    series: ClientSeries | undefined,
    message: MessageName,
    parent: Context,
    onReturn: (() => void) | undefined,
  ) {
    super(owner, series, message, parent, undefined)
    this.#isMeasured = series !== undefined
    this.#onReturn = onReturn
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
}
