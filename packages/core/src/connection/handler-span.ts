import type { Context, Span } from '@opentelemetry/api'
import { type OperationServices, ServerOperation } from '../context/server-operation.ts'

/** The application's handler of a new connection, or of the end of a connection. */
export class HandlerSpan extends ServerOperation {
  constructor(services: OperationServices, parent: Context, span: Span) {
    super(services, parent, span, 0)
  }

  /** Messages that timers of the handler send later are server-initiated, not part of opening the connection. */
  override get adopts(): boolean {
    return !this.ended
  }

  protected override onSettled(): void {}
}
