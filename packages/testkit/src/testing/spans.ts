import type { Link } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'

/** Duration of a finished span in ms. */
export function milliseconds(span: ReadableSpan): number {
  return span.duration[0] * 1e3 + span.duration[1] / 1e6
}

/** The link that a span has to `span`, of the given kind. */
export function linkTo(
  span: ReadableSpan,
  kind: 'handshake' | 'message' | 'segment' | 'receiver' | 'cause' = 'handshake',
): Link {
  return { context: span.spanContext(), attributes: { 'websocket.link.kind': kind } }
}
