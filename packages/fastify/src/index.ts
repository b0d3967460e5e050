export {
  type CarrierOptions,
  type ConnectionContext,
  connectionOf,
  connectionSampler,
  type Extracted,
  extractContext,
  injectContext,
  OptionError,
  type Stream,
  type TelemetryOptions,
} from '@otel-ws/core'
export { type BroadcastOptions, broadcast } from '@otel-ws/ws'
export { default, otelWs } from './plugin.ts'
