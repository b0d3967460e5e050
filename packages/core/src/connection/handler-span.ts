import type { Context, Span } from '@opentelemetry/api'
import { Operation } from '../context/operation.ts'
import type { Connection } from './connection.ts'

/** The user's handler of a connection's begin, or of its end. */
export class HandlerSpan extends Operation {
  constructor(connection: Connection, parent: Context, span: Span) {
    super(connection.telemetry, parent, span, 0)
  }

  /** What the handler leaves behind, such as timers, is server-initiated work and no part of opening the connection. */
  override get adopts(): boolean {
    return !this.ended
  }

  protected override onSettled(): void {}
}
