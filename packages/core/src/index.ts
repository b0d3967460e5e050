export type { CloseCategory, CloseInitiator } from './close/close.ts'
export type { ConnectionContext } from './connection/context.ts'
export { connectionOf } from './connection/store.ts'
export type { Stream } from './connection/stream.ts'
export { OptionError } from './options/option-error.ts'
export type {
  CloseInfo,
  HandlerInfo,
  IgnoreSubject,
  KeepOptions,
  MessageInfo,
  TelemetryOptions,
  UpgradeRequest,
} from './options/types.ts'
export type { Carrier } from './propagation/carrier.ts'
export { type CarrierOptions, type Extracted, extractContext, injectContext } from './propagation/payload.ts'
export type { RemoteContext } from './propagation/remote-context.ts'
export { type JsonOperations, jsonOperations } from './protocols/json-operations.ts'
export {
  type Conventions,
  defineProtocol,
  type MessageKind,
  type Protocol,
  type ProtocolDefinition,
  type ProtocolMessage,
  type ProtocolRecord,
  type ProtocolState,
} from './protocols/protocol.ts'
export { connectionSampler, keepSampler, type Sampler } from './services/sampler.ts'
