import type { Span } from '@opentelemetry/api'
import {
  type AckOutcome,
  ATTR_WEBSOCKET_ACK_OUTCOME,
  ATTR_WEBSOCKET_SPAN_ENDED_BY,
  type ClientConnection,
  clientDeadlines,
  type Expirable,
  setAttribute,
} from '@otel-ws/core/client'

/** An event on its way: its span lasts until it was handed over or, when the application waits for one, until its ack. */
export class Emission implements Expirable {
  readonly connection: ClientConnection
  #span: Span | undefined
  /** It waits for an acknowledgement. */
  waits = false
  isTaken = false
  #isOver = false

  constructor(connection: ClientConnection, span: Span | undefined) {
    this.connection = connection
    this.#span = span
  }

  /** The span until it has ended. */
  get span(): Span | undefined {
    return this.#span
  }

  /** It is not over with the call: nothing is held for ever. */
  hold(): void {
    clientDeadlines().add(this)
  }

  /** The acknowledgement came, or will not. */
  settle(outcome: AckOutcome): void {
    if (this.#isOver) return
    if (outcome === 'timeout') this.connection.series?.missed('ack_timeout')
    setAttribute(this.span, ATTR_WEBSOCKET_ACK_OUTCOME, outcome)
    this.end()
  }

  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    clientDeadlines().delete(this)
    const span = this.#span
    this.#span = undefined
    this.connection.end(span)
  }

  expire(reason: 'age' | 'shutdown'): void {
    setAttribute(this.span, ATTR_WEBSOCKET_SPAN_ENDED_BY, reason)
    this.end()
  }
}
