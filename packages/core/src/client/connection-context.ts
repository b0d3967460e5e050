import { type Attributes, type AttributeValue, ROOT_CONTEXT, type SpanContext, trace } from '@opentelemetry/api'
import { activeContext, runInContext } from '../api/context.ts'
import { inject } from '../api/propagation.ts'
import { withoutSpan } from '../context/span-scope.ts'
import { keepOpenUntil } from './run-process.ts'

/** The connection of a client as the application sees it: `connectionOf(socket)`. */
export interface ClientConnectionContext {
  /** 16 hex digits; `websocket.connection.id` of every span. `undefined` until the server has sent it. */
  readonly id: string | undefined
  readonly route: string | undefined
  readonly subprotocol: string | undefined
  /** Sets an attribute on every later span of this connection, for example the user's id once it is known. */
  setAttribute(key: string, value: AttributeValue): this
  /** Sets several attributes on every later span of this connection. */
  setAttributes(attributes: Attributes): this
  /** Runs work that belongs to the connection and to no message, such as a timer's, outside of the active span. */
  run<R>(fn: () => R): R
  /**
   * Keeps the span of the current message open until a promise has settled, and records its failure: for libraries, and for
   * handlers that return before they are done. It handles the promise's rejection.
   */
  waitUntil(promise: unknown): void
  /** The trace context as a W3C carrier: of the active span, else of the connection's connect span. Empty without an SDK. */
  traceContext(): Record<string, string>
}

/** The members of a connection that its view reads. */
interface ViewedConnection {
  readonly id: string | undefined
  readonly route: string | undefined
  readonly subprotocol: string | undefined
  readonly spanContext: SpanContext | undefined
  view: ClientConnectionContext | undefined
  setAttributes(attributes: Attributes): void
}

class View implements ClientConnectionContext {
  readonly #connection: ViewedConnection

  constructor(connection: ViewedConnection) {
    this.#connection = connection
  }

  get id(): string | undefined {
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
    return runInContext(withoutSpan(activeContext()), fn)
  }

  waitUntil(promise: unknown): void {
    keepOpenUntil(this.#connection, promise)
  }

  traceContext(): Record<string, string> {
    const carrier: Record<string, string> = {}
    const active = activeContext()
    const { spanContext } = this.#connection
    const isBare = spanContext !== undefined && trace.getSpan(active) === undefined
    inject(isBare ? trace.setSpanContext(ROOT_CONTEXT, spanContext) : active, carrier)
    return carrier
  }
}

/** The view of a connection for the application: always the same object. */
export function connectionContext(connection: ViewedConnection): ClientConnectionContext {
  connection.view ??= new View(connection)
  return connection.view
}
