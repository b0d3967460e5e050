export { activeContext, runInContext } from './api/context.ts'
export { setAttribute } from './api/span.ts'
export { warnOfUnseenSdk } from './api/versions.ts'
export { rememberCaller } from './client/callers.ts'
export { Connect } from './client/connect.ts'
export { ClientConnection } from './client/connection.ts'
export { type ClientConnectionContext, connectionContext } from './client/connection-context.ts'
export { clientDeadlines } from './client/deadlines.ts'
export { connectForeignCarriers } from './client/message-context.ts'
export { type ClientMetrics, clientMetrics } from './client/metrics.ts'
export { clientOperations } from './client/operations.ts'
export { type ClientOptions, checkClientOptions } from './client/options.ts'
export type { ClientProcess } from './client/process.ts'
export { connectedPropagation, connectPropagation } from './client/propagation.ts'
export type { ClientOperations } from './client/reading.ts'
export { runHandlers, runProcess } from './client/run-process.ts'
export { clientPropagation, connectParams, pendingConnectTo, startConnect } from './client/start-connect.ts'
export { boundName, ClientTelemetry } from './client/telemetry.ts'
export { readForeignCarrier } from './connection/foreign-carrier.ts'
export { PendingAck } from './connection/pending-ack.ts'
export { tracedConnection } from './connection/store.ts'
export type { AckOutcome, AckWaiter } from './context/ack.ts'
export type { Expirable } from './context/deadlines.ts'
export { dispatch, type Emitter, usesPlainEmit } from './node/emitter.ts'
export { hiddenProperty, replaceMethod, wrapMethod } from './node/wrap-method.ts'
export { closeCodeOf } from './node/ws-error.ts'
export { jsonName } from './options/json-name.ts'
export { OptionError } from './options/option-error.ts'
export type { CloseInfo, MessageInfo } from './options/types.ts'
export { FlushPoller } from './outgoing/flush-poller.ts'
export {
  CONFIRMATION,
  CONFIRMATION_EVENT,
  headerOffer,
  INCOMPLETE_OFFER,
  PROTOCOL_NAME,
  parseAcceptHeader,
} from './propagation/negotiation.ts'
export { extractFromPacket, injectIntoPacket } from './propagation/packet.ts'
export { jsonMember, parseCarrier, textPayload } from './propagation/terms.ts'
export { type JsonOperations, jsonOperations } from './protocols/json-operations.ts'
export { defineProtocol, type Protocol, type ProtocolDefinition } from './protocols/protocol.ts'
export {
  ATTR_ERROR_TYPE,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_WEBSOCKET_ACK_OUTCOME,
  ATTR_WEBSOCKET_MESSAGE_SEQUENCE,
  ATTR_WEBSOCKET_MESSAGE_SIZE,
  ATTR_WEBSOCKET_MESSAGE_TYPE,
  ATTR_WEBSOCKET_SPAN_ENDED_BY,
  ATTR_WEBSOCKET_UNDELIVERED_REASON,
} from './schema.ts'
export { warn } from './span/diagnostics.ts'
export { otherName } from './span/names.ts'
