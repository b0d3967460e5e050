// biome-ignore-all assist/source/organizeImports: the names are grouped by topic.

// The port for adapters of servers. These names follow semantic versioning; everything else in this package is internal.
// Helpers for hosts that run on Node stand behind the door `./node`. docs/writing-an-adapter.md has the order of the
// calls and the smallest adapter, which is compiled and run.

// --- Server: one `Telemetry` for each instrumented host ---
export { createTelemetry, type Telemetry } from './telemetry.ts'
export type { HostDriver, Peer, RegisteredNames, Scope } from './services/driver.ts'
export { unknownVariables } from './options/environment.ts'
export { resolveOptions } from './options/resolve.ts'
export { warn } from './span/diagnostics.ts'
export { unseenSdkVersion } from './api/versions.ts'
export { errorType, setErrorType } from './span/error-type.ts'

// --- Opening handshake ---
export type { Handshake, HandshakeOptions } from './handshake/handshake.ts'
export { handshakeOf, storeHandshake } from './handshake/store.ts'
export { outsideEndedHandshake } from './handshake/after-handshake.ts'

// --- Connection, and the messages that it receives ---
export type { Connection } from './connection/connection.ts'
export type { ConnectionFacts } from './connection/identity.ts'
export { storeConnection, tracedConnection } from './connection/store.ts'
export type { IncomingMessage } from './connection/incoming.ts'
export { activeProcess, type Process } from './connection/process.ts'
export type { HandlerSpan } from './connection/handler-span.ts'
export type { Stream } from './connection/stream.ts'
export type { AckWaiter } from './context/ack.ts'
export { isFollowable, whenSettled } from './context/promises.ts'
export type { CloseFacts } from './close/close.ts'
export { TransportPings } from './connection/transport-pings.ts'

// --- Messages that are sent, to one connection or to many ---
export type { OutgoingMessage } from './outgoing/message.ts'
export type { PartialMessage } from './outgoing/batch.ts'
export type { Broadcast } from './broadcast/broadcast.ts'
export type { Audience, FanoutSpan } from './broadcast/fanout-span.ts'

// --- Calls of the OpenTelemetry API that never throw ---
export { activeContext, bindContext, runInContext } from './api/context.ts'
export { endSpan, idsOf, isRecording, setAttribute } from './api/span.ts'

// --- Propagation ---
export type { Carrier } from './propagation/carrier.ts'
export { isConfirmationEvent, PROTOCOL_NAME } from './propagation/negotiation.ts'
export { extractFromPacket, injectIntoPacket } from './propagation/packet.ts'
export { currentCarrier } from './context/send-parent.ts'
export type { PropagationTerms } from './propagation/terms.ts'
