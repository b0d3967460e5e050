import {
  type ClientOptions,
  checkClientOptions,
  clientMetrics,
  clientOperations,
  clientPropagation,
  connectForeignCarriers,
  connectPropagation,
  pendingConnectTo,
  readForeignCarrier,
  warnOfUnseenSdk,
} from '@otel-ws/core/client'
import { traceTarget } from './event-target.ts'
import { IS_NODES, watchDispatch } from './node-target.ts'
import type { WebSocketLike } from './socket.ts'
import { traceHeaders as headersFor, traceUrl as urlFor } from './start-connect.ts'
import { trace } from './trace.ts'
import { isEmitter, traceEmitter, traceparentOf } from './ws-client.ts'

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
export { connectionOf } from './store.ts'
export { traceTrpcLink } from './trpc-link.ts'

/**
 * Traces a WebSocket: its connect, each message received and sent, and its close. Takes Node's global one, a browser's, and
 * clients of `ws`. Call it right after the socket was made, before listeners are added.
 *
 * @returns the socket
 * @throws OptionError for wrong options
 */
export function traceWebSocket<S extends WebSocketLike>(socket: S, options?: ClientOptions): S {
  const settings = measured(options)
  connectPropagation(clientPropagation)
  connectForeignCarriers(readForeignCarrier)
  if (!isEmitter(socket)) {
    return trace(socket, settings, (target, connection) =>
      traceTarget(target, connection, IS_NODES ? watchDispatch : undefined),
    )
  }
  return trace(socket, settings, traceEmitter, (telemetry, url) => {
    const traceparent = traceparentOf(socket)
    const begun = clientPropagation.pendingConnect(telemetry, url, traceparent)
    return begun === undefined && traceparent !== undefined ? pendingConnectTo(telemetry, url) : begun
  })
}

/**
 * The URL with the context of its connect, for sockets that can set no headers: `new WebSocket(traceUrl(url))`. The
 * connect span begins now, and the server's handshake becomes its child. It also asks the server for context in messages,
 * so trace the socket with {@link traceWebSocket}. While there is no SDK the URL stays as it is.
 *
 * @param options those that the socket is traced with
 * @throws OptionError for wrong options
 */
export function traceUrl(url: string | URL, options?: ClientOptions): string {
  return urlFor(url, measured(options))
}

/**
 * Headers with the context of a connect, for clients that can set some: `new WebSocket(url, { headers: traceHeaders(url) })`
 * of `ws`. Otherwise as {@link traceUrl}.
 *
 * @throws OptionError for wrong options
 */
export function traceHeaders(url: string | URL, options?: ClientOptions): Record<string, string> {
  return headersFor(url, measured(options))
}

/** Outside of pages, options and the copy of the API are checked, and clients are measured, and their operations read, without being asked to. */
function measured(options: ClientOptions = {}): ClientOptions {
  checkClientOptions(options)
  warnOfUnseenSdk()
  return {
    ...options,
    metrics: options.metrics ?? clientMetrics,
    operations: options.operations ?? clientOperations,
  }
}
