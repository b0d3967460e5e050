export {
  type Carrier,
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
export { WsTraceInterceptor } from './interceptor.ts'
export { type WsTraceAsyncOptions, WsTraceModule } from './module.ts'
