import {
  type Attributes,
  type Link,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  trace,
} from '@opentelemetry/api'
import { endSpan, idsOf, setAttribute } from '../api/span.ts'
import type { NetworkTransport } from '../close/attributes.ts'
import type { Expirable } from '../context/deadlines.ts'
import { withSpan } from '../context/span-scope.ts'
import * as schema from '../schema.ts'
import type { Services } from '../services/services.ts'
import { spanName } from '../span/names.ts'

const SEGMENT_LINK: Attributes = { [schema.ATTR_WEBSOCKET_LINK_KIND]: 'segment' }

/** The members of a connection that a segment uses. */
interface SegmentConnection {
  readonly services: Services
  readonly route: string | undefined
  readonly networkTransport: NetworkTransport
  identity(): Attributes
  segmentEnded(segment: Segment, endedBy?: 'age' | 'shutdown'): void
}

/** One bounded part of a connection span, with option `traces: 'connection'`. */
export class Segment implements Expirable {
  readonly #connection: SegmentConnection
  #span: Span | undefined
  #messages = 0

  private constructor(connection: SegmentConnection, parent: SpanContext | undefined, links: Link[]) {
    this.#connection = connection
    const { services, route } = connection
    const context = parent === undefined ? ROOT_CONTEXT : withSpan(ROOT_CONTEXT, trace.wrapSpanContext(parent))
    this.#span = services.startSpan(
      spanName('connection', route),
      {
        kind: SpanKind.SERVER,
        attributes: {
          ...connection.identity(),
          [schema.ATTR_NETWORK_PROTOCOL_NAME]: 'websocket',
          [schema.ATTR_NETWORK_TRANSPORT]: connection.networkTransport,
        },
        links,
      },
      context,
    )
    services.deadlines.add(this)
  }

  /** The first segment of a connection, a child of its handshake. */
  static first(connection: SegmentConnection, handshake: SpanContext | undefined): Segment {
    return new Segment(connection, handshake, [])
  }

  /** Starts the next segment: a new trace, linked to the handshake and to this segment. */
  next(links: Link[]): Segment {
    const own = idsOf(this.#span)
    return new Segment(
      this.#connection,
      undefined,
      own === undefined ? links : [...links, { context: own, attributes: SEGMENT_LINK }],
    )
  }

  get span(): Span | undefined {
    return this.#span
  }

  /** True if the next message belongs to a new segment. */
  get isFull(): boolean {
    return this.#messages >= this.#connection.services.options.maxConnectionSpanMessages
  }

  /** Counts a message and returns the parent of its span. */
  count(): Span | undefined {
    this.#messages++
    return this.#span
  }

  end(endedBy?: 'age' | 'shutdown'): void {
    const span = this.#span
    if (span === undefined) return
    this.#span = undefined
    this.#connection.services.deadlines.delete(this)
    if (endedBy !== undefined) setAttribute(span, schema.ATTR_WEBSOCKET_SPAN_ENDED_BY, endedBy)
    endSpan(span)
  }

  expire(reason: 'age' | 'shutdown'): void {
    this.#connection.segmentEnded(this, reason)
  }
}
