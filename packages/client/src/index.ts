import type { ClientOptions } from '@otel-ws/core/client'
import { isEmitter, traceEmitter, traceparentOf } from './emitter.ts'
import { traceTarget } from './event-target.ts'
import type { WebSocketLike } from './socket.ts'
import { trace } from './trace.ts'

export { type ClientConnectionContext, type ClientOptions, jsonName, OptionError } from '@otel-ws/core/client'
export { traceHeaders, traceUrl } from './offer.ts'
export { connectionOf } from './record.ts'

/**
 * Traces a WebSocket: its connect, each message received and sent, and its close. Takes Node's global one, a browser's, and
 * clients of `ws`. Call it right after the socket was made, before listeners are added.
 *
 * @returns the socket
 * @throws OptionError for wrong options
 */
export function traceWebSocket<S extends WebSocketLike>(socket: S, options?: ClientOptions): S {
  if (!isEmitter(socket)) return trace(socket, options, traceTarget)
  return trace(socket, options, traceEmitter, traceparentOf(socket))
}
