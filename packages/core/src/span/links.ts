import type { Link, SpanContext } from '@opentelemetry/api'
import { ATTR_WEBSOCKET_LINK_KIND } from '../schema.ts'

/** Links to the span whose code caused another one that is not its child. */
export function causeLinks(context: SpanContext | undefined): Link[] {
  return context === undefined ? [] : [{ context, attributes: { [ATTR_WEBSOCKET_LINK_KIND]: 'cause' } }]
}
