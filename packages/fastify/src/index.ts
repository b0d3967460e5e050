export {
  type CarrierOptions,
  type ConnectionContext,
  connectionOf,
  connectionSampler,
  defineProtocol,
  type Extracted,
  extractContext,
  injectContext,
  type JsonOperations,
  jsonOperations,
  type KeepOptions,
  keepSampler,
  OptionError,
  type Protocol,
  type ProtocolDefinition,
  type Stream,
  type TelemetryOptions,
} from '@otel-ws/core'
export { type BroadcastOptions, broadcast } from '@otel-ws/ws'
export { default, otelWs } from './plugin.ts'
