import type { ClientOptions } from '@otel-ws/core/client'
import { traceTarget } from './event-target.ts'
import type { WebSocketLike } from './socket.ts'
import { trace } from './trace.ts'

export {
  type ClientConnectionContext,
  type ClientMetrics,
  type ClientOperations,
  type ClientOptions,
  clientMetrics,
  clientOperations,
  defineProtocol,
  type JsonOperations,
  jsonName,
  jsonOperations,
  OptionError,
  type Protocol,
  type ProtocolDefinition,
} from '@otel-ws/core/client'
export { traceUrl } from './start-connect.ts'
export { connectionOf } from './store.ts'
export { traceTrpcLink } from './trpc-link.ts'

/**
 * Traces a WebSocket: its connect, each message received and sent, and its close. Call it right after the socket was made,
 * before listeners are added.
 *
 * @returns the socket
 */
export function traceWebSocket<S extends WebSocketLike>(socket: S, options?: ClientOptions): S {
  return trace(socket, options, traceTarget)
}
