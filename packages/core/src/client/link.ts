import type { Link, SpanContext } from '@opentelemetry/api'
import { ATTR_WEBSOCKET_LINK_KIND } from '../schema.ts'

/** Links of a span: one to another span, or none where there is none to link to. */
export function linkTo(
  context: SpanContext | undefined,
  kind: 'handshake' | 'previous' | 'message' | 'receiver' | 'cause',
): Link[] {
  return context === undefined ? [] : [{ context, attributes: { [ATTR_WEBSOCKET_LINK_KIND]: kind } }]
}
