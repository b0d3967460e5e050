export type { CloseCategory, CloseInitiator } from './close.ts'
export type { ConnectionContext } from './connection.ts'
export {
  type CloseInfo,
  type IgnoreSubject,
  type MessageInfo,
  OptionError,
  type RemoteContext,
  type TelemetryOptions,
  type UpgradeRequest,
} from './options.ts'
export { connectionSampler, type Sampler } from './sampler.ts'
export { connectionOf } from './store.ts'
export type { Stream } from './stream.ts'
