import type { Span } from '@opentelemetry/api'
import { reportThrown } from '../api/log.ts'
import { setAttribute } from '../api/span.ts'
import * as schema from '../schema.ts'
import type { MessageName } from './names.ts'

/** Puts a message's attributes on its span. */
export function describeMessage(
  span: Span,
  message: MessageName,
  binary: boolean,
  size: number,
  sequence?: number,
): void {
  try {
    // As in `describeName`; in place, because this runs with every message.
    if (message.name !== undefined) span.setAttribute(schema.ATTR_WEBSOCKET_MESSAGE_NAME, message.name)
    if (message.original !== undefined) span.setAttribute(schema.ATTR_WEBSOCKET_MESSAGE_NAME_ORIGINAL, message.original)
    span.setAttribute(schema.ATTR_WEBSOCKET_MESSAGE_TYPE, binary ? 'binary' : 'text')
    span.setAttribute(schema.ATTR_WEBSOCKET_MESSAGE_SIZE, size)
    if (sequence !== undefined) span.setAttribute(schema.ATTR_WEBSOCKET_MESSAGE_SEQUENCE, sequence)
  } catch (error) {
    reportThrown('span.setAttribute()', error)
  }
}

/** Puts a message's name on its span. */
export function describeName(span: Span, message: MessageName): void {
  if (message.name !== undefined) setAttribute(span, schema.ATTR_WEBSOCKET_MESSAGE_NAME, message.name)
  if (message.original !== undefined) setAttribute(span, schema.ATTR_WEBSOCKET_MESSAGE_NAME_ORIGINAL, message.original)
}
