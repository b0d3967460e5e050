import type { Attributes, Context, Histogram, Span } from '@opentelemetry/api'
import { activeContext } from '../api/context.ts'
import type { OperationOwner } from '../context/operation.ts'
import { type OperationServices, runningOperation, ServerOperation } from '../context/server-operation.ts'
import { spanScopeOf } from '../context/span-scope.ts'
import type { Series } from '../metrics/series.ts'
import type { HandlerInfo } from '../options/types.ts'
import { ATTR_ERROR_TYPE, ATTR_WEBSOCKET_SPAN_ENDED_BY } from '../schema.ts'
import { errorType } from '../span/error-type.ts'

/** The members of a connection that its handlers use. */
export interface HandledConnection {
  readonly id: string
  readonly route: string | undefined
  readonly series: Pick<Series, 'attributes'>
  readonly services: OperationServices
}

/** The application's handler of a new connection, or of the end of a connection. */
export class HandlerSpan extends ServerOperation {
  readonly connection: HandledConnection
  readonly #duration: Histogram | undefined
  override readonly owner: OperationOwner | undefined

  /**
   * @param duration records how long the handler took, and its failure; `undefined` if that is not recorded
   * @param owner the connection that ends the span at its close; `undefined` for the handler of the connection's end
   */
  constructor(
    connection: HandledConnection,
    parent: Context,
    span: Span | undefined,
    duration: Histogram | undefined,
    owner: OperationOwner | undefined,
  ) {
    super(connection.services, parent, span, duration === undefined ? 0 : performance.now())
    this.connection = connection
    this.#duration = duration
    this.owner = owner
  }

  /** Messages that timers of the handler send later are server-initiated, not part of opening the connection. */
  override get adopts(): boolean {
    return !this.ended
  }

  protected override get handlerInfo(): HandlerInfo {
    const { id, route } = this.connection
    return { kind: this.owner === undefined ? 'disconnect' : 'open', connectionId: id, route }
  }

  protected override onHandled(isCut: boolean): void {
    if (this.#duration === undefined) return
    const attributes: Attributes = { ...this.connection.series.attributes }
    if (this.failed) attributes[ATTR_ERROR_TYPE] = errorType(this.error)
    if (isCut) attributes[ATTR_WEBSOCKET_SPAN_ENDED_BY] = 'disconnect'
    this.#duration.record((performance.now() - this.startTime) / 1000, attributes, this)
  }
}

/** The handler of this connection that the calling code is part of. */
export function activeHandler(connection: HandledConnection): HandlerSpan | undefined {
  const running = runningOperation()
  const scope = running instanceof HandlerSpan ? running : spanScopeOf(activeContext())
  return scope instanceof HandlerSpan && scope.connection === connection ? scope : undefined
}
