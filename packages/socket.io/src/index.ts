export {
  type CarrierOptions,
  type ConnectionContext,
  connectionOf,
  connectionSampler,
  type Extracted,
  extractContext,
  injectContext,
  type KeepOptions,
  keepSampler,
  OptionError,
  type Stream,
  type TelemetryOptions,
} from '@otel-ws/core'
export { type SocketTracing, traceSocket } from './middleware.ts'
export { type SocketEmitter, traceEmitter } from './redis-emitter.ts'
export { type SocketServerOptions, type TracedServer, traceSocketServer } from './server.ts'
