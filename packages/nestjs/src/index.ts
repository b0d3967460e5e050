export {
  type Carrier,
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
export { WsTraceInterceptor } from './interceptor.ts'
export { type WsTraceAsyncOptions, WsTraceModule } from './module.ts'
