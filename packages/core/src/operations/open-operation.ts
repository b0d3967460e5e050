import type { Context, Span, SpanContext } from '@opentelemetry/api'
import { endSpan, setAttribute } from '../api/span.ts'
import { type Expirable, unref } from '../context/deadlines.ts'
import type { AwaitedAck } from '../context/operation.ts'
import { SpanScope } from '../context/span-scope.ts'
import { ATTR_WEBSOCKET_SPAN_ENDED_BY } from '../schema.ts'

/** How an operation ended. */
export type OperationOutcome = 'ok' | 'error' | 'cancelled' | 'disconnected' | 'timeout' | 'abandoned' | 'unknown'

/** The span of an operation, with what runs in it. */
export interface OperationScope extends Context {
  readonly span: Span | undefined
  /** The answer is sent or dispatched: the span ends when the handlers have settled. */
  release(): void
  /** Ends the span now. */
  cut(endedBy: 'disconnect' | 'shutdown' | undefined): void
  /** Ends the span now; what starts in this context later begins a trace of its own. */
  detach(): void
  /** It was no operation. */
  revert?(): void
}

/** What an operation needs of the connection that it belongs to. */
export interface OperationOwner {
  /** The operation is answered or over: sets what is known on its span, and records its duration. */
  answered(operation: OpenOperation, span: Span | undefined): void
  /** Names the span of an operation that is over, and sets what is known on it. */
  describe(operation: OpenOperation, span: Span): void
  /** A stream has its first item. */
  firstItem(operation: OpenOperation): void
  /** Takes the operation out of what is open. */
  remove(operation: OpenOperation): void
  /** A request has turned out to be a stream. */
  becameStream(operation: OpenOperation): void
  /** A stream is over. */
  streamEnded(operation: OpenOperation): void
  /** True if what was sent is written. */
  readonly isFlushed: boolean
  /** Calls back when it is. */
  whenFlushed(callback: () => void): void
}

/** A scope whose span is not that of handlers: of what this end asks, and of the requests of a batch. */
export class SpanHolder extends SpanScope implements OperationScope {
  readonly #operation: OpenOperation
  #isOver = false

  constructor(parent: Context, span: Span | undefined, operation: OpenOperation) {
    super(parent, span)
    this.#operation = operation
  }

  release(): void {
    this.cut(undefined)
  }

  cut(endedBy: 'disconnect' | 'shutdown' | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    const { span } = this
    if (endedBy !== undefined) setAttribute(span, ATTR_WEBSOCKET_SPAN_ENDED_BY, endedBy)
    this.#operation.scopeEnds()
    this.releaseSpan()
    endSpan(span)
  }

  detach(): void {
    this.cut(undefined)
    this.detachSpan()
  }
}

const PENDING = 0
/** The response has been sent or dispatched. */
const ANSWERED = 1
/** Items follow. */
const ESTABLISHED = 2
const ENDED = 3

/** Milliseconds after which a subscription counts as established if nothing has come. */
const ESTABLISHED_AFTER = 1000

/** An operation between its request and its end. It has one outcome. */
export class OpenOperation implements Expirable, AwaitedAck {
  readonly owner: OperationOwner
  readonly key: string
  /** The name as it stands in the request. */
  readonly rawName: string | undefined
  readonly type: string | undefined
  /** The peer asks, this end serves. */
  readonly isServed: boolean
  /** Milliseconds on the monotonic clock. */
  readonly startTime = performance.now()
  isStream: boolean
  scope: OperationScope | undefined
  /** Of the span, for links. */
  spanContext: SpanContext | undefined
  outcome: OperationOutcome | undefined
  errorCode: string | undefined
  items = 0
  bytes = 0
  /** Milliseconds on the monotonic clock; 0 before. */
  firstItemAt = 0
  /** Neighbours in the list of what may be open for too long. */
  older: OpenOperation | undefined
  newer: OpenOperation | undefined
  #phase = PENDING
  #hasFailed: boolean | undefined = false
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(
    owner: OperationOwner,
    key: string,
    rawName: string | undefined,
    type: string | undefined,
    isServed: boolean,
  ) {
    this.owner = owner
    this.key = key
    this.rawName = rawName
    this.type = type
    this.isServed = isServed
    this.isStream = type === 'subscription' || type === 'stream'
    if (this.isStream) this.#awaitItems()
  }

  /** True while the response, or the beginning of the items, is awaited. */
  get isPending(): boolean {
    return this.#phase === PENDING
  }

  get hasEnded(): boolean {
    return this.#phase === ENDED
  }

  /** The items begin: the span ends, and what belongs to items is not under it. */
  established(): void {
    if (this.#phase !== PENDING) return
    this.#becomeStream()
    this.#phase = ESTABLISHED
    clearTimeout(this.#timer)
    this.scope?.detach()
  }

  /** An item was sent or has arrived. */
  item(size: number, failed: boolean | undefined, code: string | undefined): void {
    if (this.#phase === ENDED) return
    this.items++
    this.bytes += size
    this.#noteFailure(failed, code)
    if (this.firstItemAt === 0) this.firstItemAt = performance.now()
    if (this.isStream) {
      if (this.items === 1) this.owner.firstItem(this)
      this.established()
    } else if (this.#phase === PENDING) this.#answer(this.#settledOutcome())
    else {
      // An answered request with a second item is a stream.
      this.#becomeStream()
      this.#phase = ESTABLISHED
      this.scope?.detach()
    }
  }

  /** The one answer was sent or has arrived. */
  response(failed: boolean | undefined, code: string | undefined): void {
    this.#noteFailure(failed, code)
    this.end(this.#settledOutcome())
  }

  /** The items are over. */
  completed(failed: boolean | undefined, code: string | undefined): void {
    this.#noteFailure(failed, code)
    this.end(this.#settledOutcome())
  }

  /** Ends the operation; later calls do nothing. */
  end(outcome: OperationOutcome, endedBy?: 'disconnect' | 'shutdown'): void {
    const phase = this.#phase
    if (phase === ENDED) return
    clearTimeout(this.#timer)
    this.owner.remove(this)
    const isAnswer = outcome === 'ok' || outcome === 'error' || outcome === 'unknown'
    if (phase === PENDING) {
      if (isAnswer && !this.isStream) this.#answer(outcome)
      else {
        this.outcome = outcome
        if (isAnswer) this.scope?.release()
        else this.scope?.cut(endedBy)
      }
    }
    this.#phase = ENDED
    if (!this.isStream) return
    this.outcome = outcome
    this.owner.streamEnded(this)
  }

  /** It was no operation: its span is that of a message as any. */
  revert(): void {
    clearTimeout(this.#timer)
    this.#phase = ENDED
    this.scope?.revert?.()
  }

  /** Open for too long, or the process stops. */
  expire(reason: 'age' | 'shutdown'): void {
    if (this.#phase !== PENDING) return
    if (reason === 'age') this.end('timeout')
    else this.end('abandoned', 'shutdown')
  }

  /** A handler of this end has failed, with an error of this type. */
  failed(type: string): void {
    if (this.outcome === undefined || this.outcome === 'ok') this.outcome = 'error'
    this.errorCode ??= type
  }

  /** The span is about to end. */
  scopeEnds(): void {
    this.owner.answered(this, this.scope?.span)
  }

  /** The handler of the request has failed: it answers no more. */
  cancel(): void {
    this.end('error')
  }

  #answer(outcome: OperationOutcome): void {
    this.#phase = ANSWERED
    this.outcome = outcome
    if (this.isServed && !this.owner.isFlushed) this.#releaseWhenFlushed()
    else this.scope?.release()
  }

  // Apart from their callers: a function with a closure allocates its variables with each call.

  #releaseWhenFlushed(): void {
    this.owner.whenFlushed(() => this.scope?.release())
  }

  #awaitItems(): void {
    this.#timer = unref(setTimeout(() => this.established(), ESTABLISHED_AFTER))
  }

  #becomeStream(): void {
    if (this.isStream) return
    this.isStream = true
    this.owner.becameStream(this)
  }

  #noteFailure(failed: boolean | undefined, code: string | undefined): void {
    if (failed === true) {
      this.#hasFailed = true
      this.errorCode ??= code
    } else if (failed === undefined && this.#hasFailed === false) this.#hasFailed = undefined
  }

  #settledOutcome(): OperationOutcome {
    return this.#hasFailed === undefined ? 'unknown' : this.#hasFailed ? 'error' : 'ok'
  }
}
