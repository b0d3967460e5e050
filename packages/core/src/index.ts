export type { CloseCategory, CloseInitiator } from './close/close.ts'
export type { ConnectionContext } from './connection/connection.ts'
export { connectionOf } from './connection/store.ts'
export type { Stream } from './connection/stream.ts'
export { OptionError } from './options/option-error.ts'
export type {
  CloseInfo,
  IgnoreSubject,
  MessageInfo,
  RemoteContext,
  TelemetryOptions,
  UpgradeRequest,
} from './options/types.ts'
export type { Carrier } from './propagation/carrier.ts'
export { type CarrierOptions, type Extracted, extractContext, injectContext } from './propagation/payload.ts'
export { connectionSampler, type Sampler } from './services/sampler.ts'
