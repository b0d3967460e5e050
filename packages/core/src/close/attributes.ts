import type { Attributes } from '@opentelemetry/api'
import * as schema from '../schema.ts'
import type { Close } from './close.ts'

/** Totals of a connection. */
export interface ConnectionTotals {
  readonly received: number
  readonly sent: number
  readonly receivedBytes: number
  readonly sentBytes: number
}

/** Values of `network.transport`. */
export type NetworkTransport = 'tcp' | 'unix' | 'quic'

/** Attributes of a close span, on either end. */
export function closeAttributes(
  close: Close,
  reason: string | undefined,
  duration: number,
  totals: ConnectionTotals,
  transport: NetworkTransport,
): Attributes {
  return {
    [schema.ATTR_NETWORK_PROTOCOL_NAME]: 'websocket',
    [schema.ATTR_NETWORK_TRANSPORT]: transport,
    [schema.ATTR_WEBSOCKET_CLOSE_CODE]: close.code,
    [schema.ATTR_WEBSOCKET_CLOSE_CATEGORY]: close.category,
    [schema.ATTR_WEBSOCKET_CLOSE_INITIATOR]: close.initiator,
    [schema.ATTR_WEBSOCKET_CONNECTION_DURATION]: duration,
    [schema.ATTR_WEBSOCKET_CONNECTION_MESSAGES_RECEIVED]: totals.received,
    [schema.ATTR_WEBSOCKET_CONNECTION_MESSAGES_SENT]: totals.sent,
    [schema.ATTR_WEBSOCKET_CONNECTION_BYTES_RECEIVED]: totals.receivedBytes,
    [schema.ATTR_WEBSOCKET_CONNECTION_BYTES_SENT]: totals.sentBytes,
    [schema.ATTR_WEBSOCKET_CLOSE_REASON]: reason,
  }
}
