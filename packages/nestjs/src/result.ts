import type { CallHandler, ExecutionContext } from '@nestjs/common'
import {
  type AckWaiter,
  activeProcess,
  type Connection,
  type Process,
  runInContext,
  type Stream,
} from '@otel-ws/core/adapter'
import { followIterable, isAsyncIterable } from '@otel-ws/core/node'
import { Observable, type Observer, type Subscriber, type TeardownLogic } from 'rxjs'
import { recordFailure, recordSeenException } from './exceptions.ts'
import { isDispatchTraced } from './gateway-client.ts'
import type { Handler } from './handler.ts'

/**
 * Returns the result of a handler for an interceptor. The process span of the message lasts until the result completes: the
 * span that the adapter of the connection started, or a new one.
 */
export function observeHandling(
  connection: Connection,
  handler: Handler,
  execution: ExecutionContext,
  next: CallHandler,
): Observable<unknown> {
  return new Observable((subscriber) => {
    const active = activeProcess()
    const current = active?.connection === connection ? active : undefined
    current?.handledBy(handler.functionName)
    // A process span that has ended was ended by the adapter of the connection: the message is not recorded again.
    if (isDispatchTraced(connection) || current?.settled) return next.handle().subscribe(subscriber)
    if (current !== undefined) return subscribe(current, connection, subscriber, next)
    const args = execution.getArgs()
    const ack = args.findIndex((argument) => typeof argument === 'function')
    const process = connection.startHandling(handler.pattern, ack !== -1)
    if (process === undefined) return next.handle().subscribe(subscriber)
    process.handledBy(handler.functionName)
    if (ack !== -1 && handler.acknowledges) args[ack] = wrapAck(connection.trackAck(process), args[ack])
    return process.run(subscribe, connection, subscriber, next)
  })
}

type Ack = (this: unknown, ...args: unknown[]) => unknown

/** Wraps the function that a handler calls to acknowledge the message. The span lasts until then. */
function wrapAck(pendingAck: AckWaiter, ack: Ack): Ack {
  return function (...args) {
    try {
      return ack.apply(this, args)
    } finally {
      pendingAck.settle('ok')
    }
  }
}

/** Must run in the context of the process span: `handle` binds what it starts to the context that is active. */
function subscribe(
  process: Process,
  connection: Connection,
  subscriber: Subscriber<unknown>,
  next: CallHandler,
): TeardownLogic {
  process.hold()
  const result = new ResultObserver(process, connection, subscriber)
  const subscription = next.handle().subscribe(result)
  return () => {
    result.cancel()
    subscription.unsubscribe()
  }
}

/**
 * Passes a handler's result on and records a stream if it is one. Nest converts every result to an Observable: one item that
 * is followed by the completion in the same turn is a value, anything else is a stream.
 */
export class ResultObserver implements Observer<unknown> {
  readonly #process: Process
  readonly #connection: Connection
  readonly #subscriber: Subscriber<unknown>
  readonly #call: { readonly pending: boolean } | undefined
  #items = 0
  /** Milliseconds on the monotonic clock. */
  #firstItemTime = 0
  #stream: Stream | undefined
  #ended = false

  /** @param call of the handler, if its promise is followed separately */
  constructor(
    process: Process,
    connection: Connection,
    subscriber: Subscriber<unknown>,
    call?: { readonly pending: boolean },
  ) {
    this.#call = call
    this.#process = process
    this.#connection = connection
    this.#subscriber = subscriber
  }

  next(value: unknown): void {
    const at = performance.now()
    if (++this.#items === 1) {
      this.#firstItemTime = at
      Promise.resolve(this).then(endFirstTurn)
      if (isAsyncIterable(value)) this.#followIterable(value)
    } else this.#startStream().item(1, at)
    const { span } = this.#process
    // A shared source can emit in any context. What is sent for this item belongs to this message.
    if (span === undefined || this.#connection.currentProcess() === this.#process) this.#subscriber.next(value)
    else runInContext(this.#process, passItem, this.#subscriber, value)
  }

  error(error: unknown): void {
    this.#ended = true
    recordFailure(this.#process, error)
    this.#stream?.end(error)
    // The span ends after the exception filters, because what they send belongs to it.
    this.#subscriber.error(error)
    this.#process.done()
  }

  complete(): void {
    this.#ended = true
    // After an exception filter handled a failure, the stream completes without an error.
    recordSeenException(this.#process)
    const { failed, error } = this.#process
    if (this.#items === 0 && !failed) this.#startStream()
    this.#stream?.end(failed ? error : undefined)
    this.#subscriber.complete()
    this.#process.done()
  }

  /** The subscriber unsubscribed. */
  cancel(): void {
    if (this.#ended) return
    this.#ended = true
    if (this.#call?.pending !== true) this.#startStream().cancel()
    this.#process.done()
  }

  /** The turn of the first item ended: without a completion, the result is a stream. */
  endFirstTurn(): void {
    if (!this.#ended) this.#startStream()
  }

  /** Records a stream when an interceptor or adapter iterates over the item. */
  #followIterable(iterable: object): void {
    followIterable(iterable, () => this.#connection.startStream(this.#process.settled ? undefined : this.#process))
  }

  #startStream(): Stream {
    if (this.#stream !== undefined) return this.#stream
    const stream = this.#connection.startStream(this.#process)
    this.#stream = stream
    if (this.#items > 0) stream.item(1, this.#firstItemTime)
    return stream
  }
}

function passItem(subscriber: Subscriber<unknown>, value: unknown): void {
  subscriber.next(value)
}

function endFirstTurn(result: ResultObserver): void {
  result.endFirstTurn()
}
