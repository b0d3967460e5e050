export type { Broadcast } from './broadcast/broadcast.ts'
export type { CrossNodeCarrier, Delivery } from './broadcast/delivery.ts'
export type { Audience, FanoutSpan } from './broadcast/fanout-span.ts'
export { type CloseFacts, resolveClose } from './close/close.ts'
export type { Connection, ConnectionFacts, IncomingFrames, PartialMessage } from './connection/connection.ts'
export type { HandlerSpan } from './connection/handler-span.ts'
export { HEARTBEAT_PAYLOAD } from './connection/heartbeat.ts'
export type { AckOutcome, AckWaiter } from './connection/pending-ack.ts'
export { activeProcess, type Process } from './connection/process.ts'
export { handshakeOf, storeConnection, storeHandshake, tracedConnection } from './connection/store.ts'
export type { Stream } from './connection/stream.ts'
export { TransportPings } from './connection/transport-pings.ts'
export type { Operation } from './context/operation.ts'
export { isNativePromise } from './context/promises.ts'
export { currentCarrier } from './context/send-parent.ts'
export { bindContext, outsideEndedHandshake } from './handshake/after-handshake.ts'
export type { Handshake, HandshakeOptions, HandshakeOutcome, NamespaceJoin } from './handshake/handshake.ts'
export type { UndeliveredReason } from './metrics/set.ts'
export { dispatch, dispatchAll, type Emitter, usesPlainEmit } from './node/emitter.ts'
export { followIterable, isAsyncIterable } from './node/iterable.ts'
export { startHandshake } from './node/upgrade-socket.ts'
export { copySignature, hiddenProperty, unwrapMethods, wrapMethod } from './node/wrap-method.ts'
export { closeCodeOf } from './node/ws-error.ts'
export { unknownVariables } from './options/environment.ts'
export { resolveOptions } from './options/resolve.ts'
export type { OutgoingMessage } from './outgoing/message.ts'
export type { Carrier } from './propagation/carrier.ts'
export { OFFER, PROTOCOL_NAME, parseAcceptHeader, parseHello } from './propagation/negotiation.ts'
export { extractFromPacket, injectIntoPacket } from './propagation/packet.ts'
export {
  createCarrier,
  type IncomingContext,
  type PropagationTerms,
  parseCarrier,
  propagationTerms,
  textPayload,
  withBaggage,
} from './propagation/terms.ts'
export { errorType, setErrorType, warn } from './span/diagnostics.ts'
export { createTelemetry, type HostDriver, type RegisteredNames, type Scope, type Telemetry } from './telemetry.ts'
