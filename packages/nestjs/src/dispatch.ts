import { context as active } from '@opentelemetry/api'
import { type Connection, isNativePromise, type Process } from '@otel-ws/core/adapter'
import { Observable } from 'rxjs'
import { failWith } from './exceptions.ts'
import { isUntraced } from './gateway-client.ts'
import { ResultObserver } from './result.ts'

/** A message handler as Nest gives it to a WebSocket adapter, bound to its client. */
export interface MessageHandler {
  readonly message: unknown
  readonly callback: (...args: unknown[]) => unknown
  readonly isAckHandledManually?: boolean
}

/** Makes of what a handler's callback returned the Observable of its answers. */
export type Transform = (deferred: unknown) => Observable<unknown>

/** What Nest and its adapter do with a client's messages, covered by the process spans of the messages. */
export interface TracedDispatch {
  readonly handlers: MessageHandler[]
  readonly transform: Transform
}

/** @param functionNames pattern of each handler, and its name with its class */
export function traceDispatch(
  connection: Connection,
  functionNames: ReadonlyMap<string, string>,
  handlers: readonly MessageHandler[],
  transform: Transform,
): TracedDispatch {
  const calls = new WeakMap<object, HandlerCall>()

  function traceHandler(handler: MessageHandler): MessageHandler {
    const { callback } = handler
    const pattern = typeof handler.message === 'string' ? handler.message : undefined
    const functionName = pattern === undefined ? undefined : functionNames.get(pattern)

    function begin(args: unknown[]): unknown {
      const begun = connection.currentProcess()
      if (begun !== undefined) {
        begun.handledBy(functionName, pattern === undefined ? undefined : connection.telemetry.named(pattern))
        return call(begun, args)
      }
      // Of a connection that is traced, this is a message that option `ignore` leaves alone.
      const process = isUntraced(connection)
        ? connection.startHandling(pattern, typeof args.at(-1) === 'function')
        : undefined
      if (process === undefined) return callback(...args)
      process.handledBy(functionName)
      return process.run(call, args, undefined, undefined)
    }

    function call(process: Process, args: unknown[]): unknown {
      const deferred = callback(...args)
      if (isNativePromise(deferred)) calls.set(deferred, new HandlerCall(process, deferred))
      return deferred
    }

    return { ...handler, callback: (...args) => begin(args) }
  }

  function tracedTransform(deferred: unknown): Observable<unknown> {
    const answers = transform(deferred)
    const call = typeof deferred === 'object' && deferred !== null ? calls.get(deferred) : undefined
    return call === undefined ? answers : call.cover(answers, connection)
  }

  return { handlers: handlers.map(traceHandler), transform: tracedTransform }
}

/** One call of a handler: the promise that Nest returns for it, and the answers that the adapter asks of it. */
class HandlerCall {
  readonly #process: Process
  #pending = true

  constructor(process: Process, deferred: Promise<unknown>) {
    this.#process = process
    process.hold()
    deferred.then(
      () => this.#settled(),
      (error: unknown) => {
        failWith(process, error)
        this.#settled()
      },
    )
  }

  /** The handler goes on after a client has left: then there is no stream that could have been cancelled. */
  get pending(): boolean {
    return this.#pending
  }

  cover(answers: Observable<unknown>, connection: Connection): Observable<unknown> {
    return new Observable((subscriber) => {
      const process = this.#process
      process.hold()
      const result = new ResultObserver(process, connection, subscriber, this)
      // Nest runs interceptors, pipes and the handler when their answers are asked for, and in that context.
      const isActive = process.span === undefined || connection.currentProcess() === process
      const subscription = isActive
        ? answers.subscribe(result)
        : active.with(process, answers.subscribe, answers, result as never)
      return () => {
        result.cancel()
        subscription.unsubscribe()
      }
    })
  }

  #settled(): void {
    this.#pending = false
    this.#process.done()
  }
}
