export type { AckOutcome, AckWaiter } from './ack.ts'
export { beginHandshake } from './answer.ts'
export type { Broadcast } from './broadcast.ts'
export { type CloseFacts, tellClose } from './close.ts'
export type { Connection, ConnectionFacts, IncomingFrames, PartialMessage } from './connection.ts'
export { afterHandshake, inThisContext } from './context.ts'
export type { CrossNodeCarrier, Deliver } from './deliver.ts'
export { errorType, giveErrorType, warn } from './diagnostics.ts'
export type { Audience, Distribution } from './distribution.ts'
export { dispatch, dispatchAll, type Emitter, usesPlainEmit } from './emitter.ts'
export { activeCarrier } from './enclosing.ts'
export type { Handshake, HandshakeOutcome, HandshakeSeam, NamespaceSeam } from './handshake.ts'
export { HEARTBEAT_PAYLOAD } from './heartbeat.ts'
export { followIterable, isAsyncIterable } from './iterable.ts'
export type { UndeliveredReason } from './metrics.ts'
export { isNativePromise } from './native-promise.ts'
export type { Open } from './open.ts'
export type { Operation } from './operation.ts'
export { resolveOptions, unknownVariables } from './options.ts'
export { disguise, hidden, override, uncover } from './override.ts'
export { activeProcess, type Process } from './process.ts'
export {
  type Agreement,
  agreementOf,
  carrierFor,
  type InBand,
  readInBand,
  textOf,
  withBaggage,
} from './propagation/agreement.ts'
export type { Carrier } from './propagation/carrier.ts'
export { OFFER, PROTOCOL_NAME, readAnswer, readHello } from './propagation/negotiation.ts'
export { takeCarrier, withCarrier } from './propagation/packet.ts'
export { claim, claimRequest, handshakeOf, recordOf } from './store.ts'
export type { Stream } from './stream.ts'
export { createTelemetry, type HostDriver, type RegisteredNames, type Scope, type Telemetry } from './telemetry.ts'
export type { Transmission } from './transmission.ts'
export { TransportPings } from './transport-pings.ts'
export { closeCodeOf } from './ws-error.ts'
