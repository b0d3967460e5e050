import { type HandlerSpan, tracedConnection } from '@otel-ws/core/adapter'
import type { RouteOptions } from 'fastify'

type WebSocketHandler = (this: unknown, socket: object, request: unknown) => unknown

const wrapped = new WeakSet<object>()

/** Records an `open` span for the WebSocket handler of a route, if the route has one. */
export function traceHandler(route: RouteOptions): void {
  const host = route as {
    readonly websocket?: boolean
    wsHandler?: WebSocketHandler | undefined
    handler?: WebSocketHandler | undefined
  }
  // With `websocket: true`, `handler` is the WebSocket handler and `wsHandler` is ignored.
  if (host.websocket) host.handler = wrapHandler(host.handler)
  else if (host.wsHandler) host.wsHandler = wrapHandler(host.wsHandler)
}

function wrapHandler<H extends WebSocketHandler | undefined>(handler: H): H {
  // `@fastify/websocket` reports a handler that is not a function.
  if (typeof handler !== 'function' || wrapped.has(handler)) return handler
  const original: WebSocketHandler = handler
  const traced: WebSocketHandler = function (socket) {
    const span = typeof socket === 'object' && socket !== null ? tracedConnection(socket)?.startOpen() : undefined
    return span === undefined ? original.apply(this, arguments as never) : span.run(call, this, arguments, undefined)
  }
  function call(span: HandlerSpan, self: unknown, args: IArguments): unknown {
    const result = original.apply(self, args as never)
    // Fastify passes a rejection to its error handler.
    span.follow(result, original, true)
    return result
  }
  Object.defineProperty(traced, 'name', { value: original.name, configurable: true })
  Object.defineProperty(traced, 'length', { value: original.length, configurable: true })
  wrapped.add(traced)
  return traced as H
}
