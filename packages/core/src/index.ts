export type { CloseCategory, CloseInitiator } from './close.ts'
export type { ConnectionContext } from './connection.ts'
export { OptionError } from './option-error.ts'
export type {
  CloseInfo,
  IgnoreSubject,
  MessageInfo,
  RemoteContext,
  TelemetryOptions,
  UpgradeRequest,
} from './options.ts'
export { type CarrierOptions, type Extracted, extractContext, injectContext } from './propagation/broker.ts'
export type { Carrier } from './propagation/carrier.ts'
export { connectionSampler, type Sampler } from './sampler.ts'
export { connectionOf } from './store.ts'
export type { Stream } from './stream.ts'
