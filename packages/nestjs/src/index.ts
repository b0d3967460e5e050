export {
  type ConnectionContext,
  connectionOf,
  connectionSampler,
  OptionError,
  type Stream,
  type TelemetryOptions,
} from '@otel-ws/core'
export { WsTraceInterceptor } from './interceptor.ts'
export { type WsTraceAsyncOptions, WsTraceModule } from './module.ts'
