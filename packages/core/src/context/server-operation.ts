import type { Context, Span } from '@opentelemetry/api'
import { runInContext } from '../api/context.ts'
import type { ResolvedOptions } from '../options/resolve.ts'
import type { HandlerInfo } from '../options/types.ts'
import type { Diagnostics } from '../span/diagnostics.ts'
import { runAround } from './around.ts'
import type { SpanDeadlines } from './deadlines.ts'
import { Operation } from './operation.ts'

/** The services that an operation of a server needs. */
export interface OperationServices {
  readonly deadlines: Pick<SpanDeadlines, 'add' | 'delete' | 'now'>
  /** Batches the messages that are sent in one synchronous run. */
  readonly sendBatch: { enterRun(): void; leaveRun(): void }
  readonly options: Pick<ResolvedOptions, 'followPromises' | 'around'>
  isError(error: unknown, info: HandlerInfo | undefined): boolean
  readonly diagnostics: Pick<Diagnostics, 'promiseNotFollowed' | 'hookFailed'>
}

/** The innermost operation of the current synchronous run. It is known without a context manager too. */
let currentOperation: ServerOperation | undefined

export function runningOperation(): ServerOperation | undefined {
  return currentOperation
}

/** An {@link Operation} of a server: the end of its synchronous part ends a batch of sends. */
export abstract class ServerOperation extends Operation {
  readonly services: OperationServices

  constructor(services: OperationServices, parent: Context, span: Span | undefined, startTime: number) {
    super(parent, span, startTime)
    this.services = services
  }

  /** The handlers that the operation covers, for hooks; `undefined` for code of the host. */
  protected get handlerInfo(): HandlerInfo | undefined {
    return undefined
  }

  /**
   * Calls `dispatch` in the operation's context with the operation and up to three arguments. They are passed one by one
   * so that no closure is created per message. Returns and throws what `dispatch` returns and throws.
   */
  run<R>(dispatch: (operation: this) => R): R
  run<A, B, C, R>(dispatch: (operation: this, a: A, b: B, c: C) => R, a: A, b: B, c: C): R
  run(
    dispatch: (operation: this, a: unknown, b: unknown, c: unknown) => unknown,
    a?: unknown,
    b?: unknown,
    c?: unknown,
  ): unknown {
    const { around } = this.services.options
    return around === undefined ? this.runPart(dispatch, a, b, c) : this.runWithHook(around, dispatch, a, b, c)
  }

  /** As `run`, for a part of the dispatch that hook `around` does not surround. */
  runPart<R>(dispatch: (operation: this) => R): R
  runPart<A, B, C, R>(dispatch: (operation: this, a: A, b: B, c: C) => R, a: A, b: B, c: C): R
  runPart(
    dispatch: (operation: this, a: unknown, b: unknown, c: unknown) => unknown,
    a?: unknown,
    b?: unknown,
    c?: unknown,
  ): unknown {
    const { sendBatch } = this.services
    const outer = currentOperation
    currentOperation = this
    sendBatch.enterRun()
    try {
      return this.span === undefined && !this.isQuiet
        ? dispatch(this, a, b, c)
        : runInContext(this, dispatch, this, a, b, c)
    } catch (error) {
      this.fail(error)
      throw error
    } finally {
      currentOperation = outer
      sendBatch.leaveRun()
      this.done()
    }
  }

  protected override get followsAll(): boolean {
    return this.services.options.followPromises === 'all'
  }

  protected override isError(error: unknown): boolean {
    return this.services.isError(error, this.handlerInfo)
  }

  protected override onNotFollowed(handler: unknown): void {
    this.services.diagnostics.promiseNotFollowed(handler)
  }

  /**
   * Apart from `run`, whose variables would be objects on the heap if closures used them; not `#private`, which would cost
   * each operation a field.
   */
  protected runWithHook(
    around: NonNullable<ResolvedOptions['around']>,
    dispatch: (operation: this, a: unknown, b: unknown, c: unknown) => unknown,
    a: unknown,
    b: unknown,
    c: unknown,
  ): unknown {
    const info = this.handlerInfo
    if (info === undefined) return this.runPart(dispatch, a, b, c)
    const report = (error: unknown) => this.services.diagnostics.hookFailed('around', error)
    return this.runPart(() => runAround(around, info, report, () => dispatch(this, a, b, c)))
  }

  protected override now(): number {
    return this.services.deadlines.now()
  }

  protected override startDeadline(): void {
    this.services.deadlines.add(this)
  }

  protected override clearDeadline(): void {
    this.services.deadlines.delete(this)
  }
}
