import {
  announcements,
  begunTo,
  type ClientOptions,
  checkClientOptions,
  clientMetrics,
  useAnnouncements,
} from '@otel-ws/core/client'
import { isEmitter, traceEmitter, traceparentOf } from './emitter.ts'
import { traceTarget } from './event-target.ts'
import { IS_NODES, watchDispatch } from './node-target.ts'
import { traceHeaders as headersFor, traceUrl as urlFor } from './offer.ts'
import type { WebSocketLike } from './socket.ts'
import { trace } from './trace.ts'

export {
  type ClientConnectionContext,
  type ClientMetrics,
  type ClientOptions,
  clientMetrics,
  jsonName,
  OptionError,
} from '@otel-ws/core/client'
export { connectionOf } from './record.ts'

/**
 * Traces a WebSocket: its connect, each message received and sent, and its close. Takes Node's global one, a browser's, and
 * clients of `ws`. Call it right after the socket was made, before listeners are added.
 *
 * @returns the socket
 * @throws OptionError for wrong options
 */
export function traceWebSocket<S extends WebSocketLike>(socket: S, options?: ClientOptions): S {
  const settings = measured(options)
  useAnnouncements(announcements)
  if (!isEmitter(socket)) {
    return trace(socket, settings, (target, connection) =>
      traceTarget(target, connection, IS_NODES ? watchDispatch : undefined),
    )
  }
  return trace(socket, settings, traceEmitter, (telemetry, url) => {
    const traceparent = traceparentOf(socket)
    const begun = announcements.begun(telemetry, url, traceparent)
    return begun === undefined && traceparent !== undefined ? begunTo(telemetry, url) : begun
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

/** Outside of pages, options are checked, and clients are measured without being asked to. */
function measured(options: ClientOptions = {}): ClientOptions {
  checkClientOptions(options)
  return { ...options, metrics: options.metrics ?? clientMetrics }
}
