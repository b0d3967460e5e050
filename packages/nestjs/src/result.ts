import type { CallHandler, ExecutionContext } from '@nestjs/common'
import { context as active } from '@opentelemetry/api'
import {
  type AckWaiter,
  activeProcess,
  type Connection,
  followIterable,
  isAsyncIterable,
  type Process,
  type Stream,
} from '@otel-ws/core/adapter'
import { Observable, type Observer, type Subscriber, type TeardownLogic } from 'rxjs'
import { failWith, takeSeenException } from './exceptions.ts'
import { isCovered } from './gateway-client.ts'
import type { Handler } from './handler.ts'

/**
 * The result of a handler, as Nest gives it to interceptors, covered by the process span of its message: the one that
 * the connection's own tracing has begun, else one of ours.
 */
export function observeHandling(
  connection: Connection,
  handler: Handler,
  context: ExecutionContext,
  next: CallHandler,
): Observable<unknown> {
  return new Observable((subscriber) => {
    const active = activeProcess()
    const begun = active?.connection === connection ? active : undefined
    begun?.handledBy(handler.functionName)
    // What is over was told by the connection's own tracing, which did not wait: a message is not told twice.
    if (isCovered(connection) || begun?.settled) return next.handle().subscribe(subscriber)
    if (begun !== undefined) return subscribe(begun, connection, subscriber, next)
    const args = context.getArgs()
    const ack = args.findIndex((argument) => typeof argument === 'function')
    const process = connection.startHandling(handler.pattern, ack !== -1)
    if (process === undefined) return next.handle().subscribe(subscriber)
    process.handledBy(handler.functionName)
    if (ack !== -1 && handler.acknowledges) args[ack] = acknowledging(connection.trackAck(process), args[ack])
    return process.run(subscribe, connection, subscriber, next)
  })
}

type Ack = (this: unknown, ...args: unknown[]) => unknown

/** The function that the handler is given to acknowledge the message: the span lasts until it is called. */
function acknowledging(owed: AckWaiter, ack: Ack): Ack {
  return function (...args) {
    try {
      return ack.apply(this, args)
    } finally {
      owed.settle('ok')
    }
  }
}

/** Everything below runs in the operation's context: `handle` binds what it starts to the context that it is called in. */
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
 * Passes a handler's result on, and measures it as a stream if it is one. Nest makes an Observable of every result: a
 * value is one item that is followed by the end at once, and all else is a stream.
 */
export class ResultObserver implements Observer<unknown> {
  readonly #process: Process
  readonly #connection: Connection
  readonly #subscriber: Subscriber<unknown>
  readonly #call: { readonly pending: boolean } | undefined
  #items = 0
  #firstAt = 0
  #stream: Stream | undefined
  #over = false

  /** @param call of the handler, when its end is seen by itself */
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
      this.#firstAt = at
      Promise.resolve(this).then(continues)
      if (isAsyncIterable(value)) this.#follow(value)
    } else this.#begin().item(1, at)
    const { span } = this.#process
    // A source that is shared emits in whatever context it is told to: what is sent of it is still our answer.
    if (span === undefined || this.#connection.currentProcess() === this.#process) this.#subscriber.next(value)
    else active.with(this.#process, this.#subscriber.next, this.#subscriber, value)
  }

  error(error: unknown): void {
    this.#over = true
    failWith(this.#process, error)
    this.#stream?.end(error)
    // What the exception filters send belongs to the span, so it ends after them.
    this.#subscriber.error(error)
    this.#process.done()
  }

  complete(): void {
    this.#over = true
    // A failure that the exception filters have taken reaches an adapter as the end.
    takeSeenException(this.#process)
    const { failed, error } = this.#process
    if (this.#items === 0 && !failed) this.#begin()
    this.#stream?.end(failed ? error : undefined)
    this.#subscriber.complete()
    this.#process.done()
  }

  /** Nobody wants the rest. */
  cancel(): void {
    if (this.#over) return
    this.#over = true
    if (this.#call?.pending !== true) this.#begin().cancel()
    this.#process.done()
  }

  /** The turn in which the first item came is over. */
  continues(): void {
    if (!this.#over) this.#begin()
  }

  /** Whoever iterates over what the handler returned makes a stream of it: an interceptor or an adapter. */
  #follow(iterable: object): void {
    followIterable(iterable, () => this.#connection.startStream(this.#process.settled ? undefined : this.#process))
  }

  #begin(): Stream {
    if (this.#stream !== undefined) return this.#stream
    const stream = this.#connection.startStream(this.#process)
    this.#stream = stream
    if (this.#items > 0) stream.item(1, this.#firstAt)
    return stream
  }
}

function continues(result: ResultObserver): void {
  result.continues()
}
