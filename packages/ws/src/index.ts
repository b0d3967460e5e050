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
export { type BroadcastOptions, broadcast } from './broadcast.ts'
export { type TracedServer, traceWebSocketServer, type WebSocketServerOptions } from './server.ts'
