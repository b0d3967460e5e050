export {
  type CarrierOptions,
  type ConnectionContext,
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
export { connectionOf } from './connection-of.ts'
export { type NodeWebSocket, type Traced, traceWebSocket } from './trace-web-socket.ts'
