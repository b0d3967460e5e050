import { type Connection, isFollowable, type Process, runInContext, whenSettled } from '@otel-ws/core/adapter'
import { Observable, type Subscription } from 'rxjs'
import { recordFailure } from './exceptions.ts'
import { isMessageOnly } from './gateway-client.ts'
import { ResultObserver } from './result.ts'

/** A message handler as Nest passes it to a WebSocket adapter, bound to its client. */
export interface MessageHandler {
  readonly message: unknown
  readonly callback: (...args: unknown[]) => unknown
  readonly isAckHandledManually?: boolean
}

/** Converts what a handler's callback returned to an Observable of its answers. */
export type Transform = (deferred: unknown) => Observable<unknown>

/** Arguments of `bindMessageHandlers` whose messages are traced. */
export interface TracedDispatch {
  readonly handlers: MessageHandler[]
  readonly transform: Transform
}

/**
 * Traces the messages of one client from their dispatch through guards, pipes, handler and exception filters.
 *
 * @param functionNames class and method of each handler, by its pattern
 */
export function traceDispatch(
  connection: Connection,
  functionNames: ReadonlyMap<string, string>,
  handlers: readonly MessageHandler[],
  transform: Transform,
): TracedDispatch {
  /** By the promise that Nest passes to `transform`. */
  const calls = new WeakMap<object, HandlerCall>()

  function traceHandler(handler: MessageHandler): MessageHandler {
    const { callback } = handler
    const pattern = typeof handler.message === 'string' ? handler.message : undefined
    const functionName = pattern === undefined ? undefined : functionNames.get(pattern)

    function tracedCallback(args: unknown[]): unknown {
      const current = connection.currentProcess()
      if (current !== undefined) {
        current.handledBy(functionName, pattern === undefined ? undefined : connection.services.named(pattern))
        return call(current, args)
      }
      // Without a process span, option `ignore` excludes the message, unless only messages of this connection are traced.
      const process = isMessageOnly(connection)
        ? connection.startHandling(pattern, typeof args.at(-1) === 'function')
        : undefined
      if (process === undefined) return callback(...args)
      process.handledBy(functionName)
      return process.run(call, args, undefined, undefined)
    }

    function call(process: Process, args: unknown[]): unknown {
      const deferred = callback(...args)
      if (isFollowable(deferred)) calls.set(deferred, new HandlerCall(process, deferred))
      return deferred
    }

    return { ...handler, callback: (...args) => tracedCallback(args) }
  }

  function tracedTransform(deferred: unknown): Observable<unknown> {
    const answers = transform(deferred)
    const call = typeof deferred === 'object' && deferred !== null ? calls.get(deferred) : undefined
    return call === undefined ? answers : call.observe(answers, connection)
  }

  return { handlers: handlers.map(traceHandler), transform: tracedTransform }
}

/** One call of a handler: the promise that Nest returns for it, and the Observable of its answers. */
class HandlerCall {
  readonly #process: Process
  #pending = true

  constructor(process: Process, deferred: Promise<unknown>) {
    this.#process = process
    process.hold()
    whenSettled(
      deferred,
      () => this.#settle(),
      (error: unknown) => {
        recordFailure(process, error)
        this.#settle()
      },
    )
  }

  /** True until the handler's promise settles. A handler continues after its client left; there is no stream to cancel. */
  get pending(): boolean {
    return this.#pending
  }

  /** Returns the answers; the process span lasts until they complete. */
  observe(answers: Observable<unknown>, connection: Connection): Observable<unknown> {
    return new Observable((subscriber) => {
      const process = this.#process
      process.hold()
      const result = new ResultObserver(process, connection, subscriber, this)
      // Nest runs interceptors, pipes and the handler at the subscription, in the context that is active then.
      const isActive = process.span === undefined || connection.currentProcess() === process
      const subscription = isActive ? answers.subscribe(result) : runInContext(process, subscribe, answers, result)
      return () => {
        result.cancel()
        subscription.unsubscribe()
      }
    })
  }

  #settle(): void {
    this.#pending = false
    this.#process.done()
  }
}

function subscribe(answers: Observable<unknown>, result: ResultObserver): Subscription {
  return answers.subscribe(result)
}
