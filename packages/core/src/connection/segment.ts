import {
  type Attributes,
  type Link,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  trace,
} from '@opentelemetry/api'
import type { Expirable } from '../context/deadlines.ts'
import { withSpan } from '../context/span-scope.ts'
import * as schema from '../schema.ts'
import { spanName } from '../span/names.ts'
import type { Connection } from './connection.ts'

const SEGMENT_LINK: Attributes = { [schema.ATTR_WEBSOCKET_LINK_KIND]: 'segment' }

/** One bounded piece of a connection span: the shape `connection` of the traces. */
export class Segment implements Expirable {
  readonly #connection: Connection
  #span: Span | undefined
  #messages = 0

  private constructor(connection: Connection, parent: SpanContext | undefined, links: Link[]) {
    this.#connection = connection
    const { telemetry, route } = connection
    const context = parent === undefined ? ROOT_CONTEXT : withSpan(ROOT_CONTEXT, trace.wrapSpanContext(parent))
    this.#span = telemetry.tracer?.startSpan(
      spanName('connection', route),
      {
        kind: SpanKind.SERVER,
        attributes: {
          ...connection.identity(),
          [schema.ATTR_NETWORK_PROTOCOL_NAME]: 'websocket',
          [schema.ATTR_NETWORK_TRANSPORT]: 'tcp',
        },
        links,
      },
      context,
    )
    telemetry.deadlines.add(this)
  }

  /** The segment that a connection starts with, a child of its handshake. */
  static first(connection: Connection, handshake: SpanContext | undefined): Segment {
    return new Segment(connection, handshake, [])
  }

  /** The segment after this one: a new trace, linked to the handshake and to this segment. */
  next(links: Link[]): Segment {
    const own = this.#span?.spanContext()
    return new Segment(
      this.#connection,
      undefined,
      own === undefined ? links : [...links, { context: own, attributes: SEGMENT_LINK }],
    )
  }

  get span(): Span | undefined {
    return this.#span
  }

  /** True when the next message belongs to a new segment. */
  full(): boolean {
    return this.#messages >= this.#connection.telemetry.options.maxConnectionSpanMessages
  }

  /** Counts a message and returns the span it belongs under. */
  count(): Span | undefined {
    this.#messages++
    return this.#span
  }

  end(endedBy?: 'age' | 'shutdown'): void {
    const span = this.#span
    if (span === undefined) return
    this.#span = undefined
    this.#connection.telemetry.deadlines.delete(this)
    if (endedBy !== undefined) span.setAttribute(schema.ATTR_WEBSOCKET_SPAN_ENDED_BY, endedBy)
    span.end()
  }

  expire(reason: 'age' | 'shutdown'): void {
    this.#connection.segmentEnded(this, reason)
  }
}
