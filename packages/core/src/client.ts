export { type AckOutcome, type AckWaiter, OwedAck } from './ack.ts'
export { announcementsInUse, useAnnouncements } from './client/announcements.ts'
export { Connect } from './client/connect.ts'
export { ClientConnection } from './client/connection.ts'
export { type ClientConnectionContext, contextOf } from './client/connection-context.ts'
export { clientExpiry } from './client/expiry.ts'
export { type ClientMetrics, clientMetrics } from './client/metrics.ts'
export { announcements, begunTo, offer, offerOf } from './client/offer.ts'
export { type ClientOptions, checkClientOptions } from './client/options.ts'
export type { ClientProcess } from './client/process.ts'
export { runProcess } from './client/run.ts'
export { boundName, ClientTelemetry } from './client/telemetry.ts'
export { warn } from './diagnostics.ts'
export { Drains } from './drains.ts'
export { dispatch, type Emitter, usesPlainEmit } from './emitter.ts'
export type { Expirable } from './expiry.ts'
export { jsonName } from './json-name.ts'
export { otherName } from './names.ts'
export { OptionError } from './option-error.ts'
export type { CloseInfo, MessageInfo } from './options.ts'
export { cover, hidden, override } from './override.ts'
export { memberNamed, textOf } from './propagation/agreement.ts'
export { OFFER, PROTOCOL_NAME, readAnswer } from './propagation/negotiation.ts'
export { takeCarrier, withCarrier } from './propagation/packet.ts'
export {
  ATTR_ERROR_TYPE,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_WEBSOCKET_ACK_OUTCOME,
  ATTR_WEBSOCKET_MESSAGE_SIZE,
  ATTR_WEBSOCKET_MESSAGE_TYPE,
  ATTR_WEBSOCKET_SPAN_ENDED_BY,
  ATTR_WEBSOCKET_UNDELIVERED_REASON,
} from './schema.ts'
export { recordOf } from './store.ts'
export { closeCodeOf } from './ws-error.ts'
