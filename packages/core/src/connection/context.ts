import type { Attributes, AttributeValue } from '@opentelemetry/api'
import type { Stream } from './stream.ts'

/** The connection as the application sees it: `connectionOf(socket)`. */
export interface ConnectionContext {
  /** Random, 16 hex digits; `websocket.connection.id` of every span. */
  readonly id: string
  readonly route: string | undefined
  readonly subprotocol: string | undefined
  /** Sets an attribute on every later span of this connection, for example the user's id once it is known. */
  setAttribute(key: string, value: AttributeValue): this
  /** Sets several attributes on every later span of this connection. */
  setAttributes(attributes: Attributes): this
  /**
   * Runs work that belongs to the connection and to no message, such as a timer's or a queue's, outside of the active
   * span: messages that it sends are recorded as server-initiated.
   */
  run<R>(fn: () => R): R
  /** The trace context as a W3C carrier: of the active span, else of the connection's handshake. Empty without an SDK. */
  traceContext(): Record<string, string>
  /**
   * Keeps the span of the message, or of the connection handler, that the calling code is part of open until the promise
   * has settled, and records its rejection: for handlers and libraries that return before they are done. It counts as
   * handling the rejection, with and without an SDK.
   */
  waitUntil(promise: unknown): void
  /**
   * Measures a streamed answer. If it is called in the handler of a message, the figures are recorded on its process
   * span, which then lasts until the stream ends.
   */
  stream(): Stream
}

type ViewedConnection = Omit<ConnectionContext, 'setAttribute' | 'setAttributes'> & {
  setAttributes(attributes: Attributes): void
}

/** The view of a connection that applications get: it exposes {@link ConnectionContext} and nothing else. */
export class ConnectionView implements ConnectionContext {
  readonly #connection: ViewedConnection

  constructor(connection: ViewedConnection) {
    this.#connection = connection
  }

  get id(): string {
    return this.#connection.id
  }

  get route(): string | undefined {
    return this.#connection.route
  }

  get subprotocol(): string | undefined {
    return this.#connection.subprotocol
  }

  setAttribute(key: string, value: AttributeValue): this {
    return this.setAttributes({ [key]: value })
  }

  setAttributes(attributes: Attributes): this {
    this.#connection.setAttributes(attributes)
    return this
  }

  run<R>(fn: () => R): R {
    return this.#connection.run(fn)
  }

  traceContext(): Record<string, string> {
    return this.#connection.traceContext()
  }

  waitUntil(promise: unknown): void {
    this.#connection.waitUntil(promise)
  }

  stream(): Stream {
    return this.#connection.stream()
  }
}
