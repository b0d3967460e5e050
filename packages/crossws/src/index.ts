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
  OptionError,
  type Protocol,
  type ProtocolDefinition,
  type Stream,
  type TelemetryOptions,
} from '@otel-ws/core'
export { type TracedHooks, traceHooks } from './hooks.ts'
