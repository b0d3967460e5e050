import type { Attributes } from '@opentelemetry/api'
import { type Expirable, SpanDeadlines } from '../context/deadlines.ts'
import * as schema from '../schema.ts'
import { type MessageName, spanName } from '../span/names.ts'

/** Milliseconds that one span covers. */
const WINDOW = 10_000
/** Windows that are open at the same time, of all connections of a server. */
const MAX_OPEN = 10_000

/** The connection that a window is of. */
interface AggregatingConnection {
  endWindow(window: AggregateWindow): void
}

/** The messages of one name that a connection has received in a while, for the one span of option `aggregate`. */
export class AggregateWindow implements Expirable {
  readonly name: MessageName
  /** Milliseconds on the monotonic clock. */
  readonly startTime = performance.now()
  isOver = false
  readonly #connection: AggregatingConnection
  #messages = 0
  #bytes = 0
  #failures = 0
  #longest = 0

  constructor(connection: AggregatingConnection, name: MessageName) {
    this.#connection = connection
    this.name = name
  }

  get spanName(): string {
    return spanName('aggregate', this.name.name)
  }

  get attributes(): Attributes {
    return {
      [schema.ATTR_WEBSOCKET_MESSAGE_NAME]: this.name.name,
      [schema.ATTR_WEBSOCKET_AGGREGATE_MESSAGES]: this.#messages,
      [schema.ATTR_WEBSOCKET_AGGREGATE_BYTES]: this.#bytes,
      [schema.ATTR_WEBSOCKET_AGGREGATE_LONGEST]: this.#longest / 1000,
      [schema.ATTR_WEBSOCKET_AGGREGATE_FAILURES]: this.#failures,
    }
  }

  /** A message has arrived. */
  received(size: number): void {
    this.#messages++
    this.#bytes += size
  }

  /** The handlers of a message have settled, after so many milliseconds. */
  settled(duration: number, hasFailed: boolean): void {
    this.#longest = Math.max(this.#longest, duration)
    if (hasFailed) this.#failures++
  }

  expire(): void {
    this.#connection.endWindow(this)
  }
}

/** The windows of all connections of a server that are open, each with its end. */
export class AggregateWindows {
  readonly #deadlines = new SpanDeadlines(WINDOW)

  /** Opens a window; `undefined` if there are too many. */
  open(connection: AggregatingConnection, name: MessageName): AggregateWindow | undefined {
    if (this.#deadlines.size >= MAX_OPEN) return undefined
    const window = new AggregateWindow(connection, name)
    this.#deadlines.add(window)
    return window
  }

  /** A window has ended. */
  delete(window: AggregateWindow): void {
    this.#deadlines.delete(window)
  }

  /** Ends all that are open. */
  shutdown(): void {
    this.#deadlines.shutdown()
  }
}
