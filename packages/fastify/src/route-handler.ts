import { type HandlerSpan, tracedConnection } from '@otel-ws/core/adapter'
import type { RouteOptions } from 'fastify'

type WebSocketHandler = (this: unknown, socket: object, request: unknown) => unknown

const wrapped = new WeakSet<object>()

/** Puts the `open` span around the WebSocket handler of a route, if the route has one. */
export function traceHandler(route: RouteOptions): void {
  const host = route as {
    readonly websocket?: boolean
    wsHandler?: WebSocketHandler | undefined
    handler?: WebSocketHandler | undefined
  }
  // `websocket: true` makes the route's handler the WebSocket handler, whatever else is there.
  if (host.websocket) host.handler = wrap(host.handler)
  else if (host.wsHandler) host.wsHandler = wrap(host.wsHandler)
}

function wrap<H extends WebSocketHandler | undefined>(handler: H): H {
  // Anything else is an error of the application, for `@fastify/websocket` to find.
  if (typeof handler !== 'function' || wrapped.has(handler)) return handler
  const own: WebSocketHandler = handler
  const traced: WebSocketHandler = function (socket, request) {
    const open = typeof socket === 'object' && socket !== null ? tracedConnection(socket)?.startOpen() : undefined
    return open === undefined ? own.call(this, socket, request) : open.run(call, this, socket, request)
  }
  function call(open: HandlerSpan, self: unknown, socket: object, request: unknown): unknown {
    const result = own.call(self, socket, request)
    // The host hands a rejection to its error handler.
    open.follow(result, true)
    return result
  }
  Object.defineProperty(traced, 'name', { value: own.name, configurable: true })
  Object.defineProperty(traced, 'length', { value: own.length, configurable: true })
  wrapped.add(traced)
  return traced as H
}
