import type { Context, Span } from '@opentelemetry/api'
import type { OperationOwner } from '../context/operation.ts'
import { type OperationServices, ServerOperation } from '../context/server-operation.ts'

/** The application's handler of a new connection, or of the end of a connection. */
export class HandlerSpan extends ServerOperation {
  readonly #owner: OperationOwner | undefined

  /** @param owner the connection that ends the span at its close; `undefined` for the handler of the connection's end */
  constructor(services: OperationServices, parent: Context, span: Span, owner: OperationOwner | undefined) {
    super(services, parent, span, 0)
    this.#owner = owner
  }

  override get owner(): OperationOwner | undefined {
    return this.#owner
  }

  /** Messages that timers of the handler send later are server-initiated, not part of opening the connection. */
  override get adopts(): boolean {
    return !this.ended
  }

  protected override onHandled(): void {}
}
