import { activeProcess, type HandlerSpan, tracedConnection } from '@otel-ws/core/adapter'
import type { WSContext, WSEvents } from 'hono/ws'

type Handler = (event: never, socket: WSContext) => unknown

/** Calls a handler of the application, which Hono's helper calls with `events` as `this`. */
type Call = (events: object, handler: Handler, event: unknown, socket: WSContext) => unknown

const CALLS: Readonly<Record<keyof WSEvents, Call>> = {
  onOpen: (events, handler, event, socket) =>
    runHandler(connectionUnder(socket)?.startOpen(), events, handler, event, socket),

  onMessage(events, handler, event, socket) {
    const process = activeProcess()
    try {
      const result = handler.call(events, event as never, socket)
      process?.follow(result, handler)
      return result
    } catch (error) {
      // The helper logs it.
      process?.fail(error)
      throw error
    }
  },

  onClose: (events, handler, event, socket) =>
    runHandler(connectionUnder(socket)?.startDisconnect(), events, handler, event, socket),

  onError: (events, handler, event, socket) => handler.call(events, event as never, socket),
}

/** An object that has the application's handlers, traced. Handlers that are set later are found too. */
export function traceEvents<E extends WSEvents | undefined>(events: E): E {
  if (typeof events !== 'object' || events === null) return events
  const properties: PropertyDescriptorMap = {}
  for (const name of Object.keys(CALLS) as (keyof WSEvents)[]) {
    properties[name] = { get: () => traceHandler(events, events[name] as Handler | undefined, CALLS[name]) }
  }
  return Object.create(events, properties) as E
}

function traceHandler(events: object, handler: Handler | undefined, call: Call): Handler | undefined {
  if (typeof handler !== 'function') return handler
  return (event: unknown, socket: WSContext) => call(events, handler, event, socket)
}

function runHandler(
  span: HandlerSpan | undefined,
  events: object,
  handler: Handler,
  event: unknown,
  socket: WSContext,
): unknown {
  if (span === undefined) return handler.call(events, event as never, socket)
  return span.run(() => {
    const result = handler.call(events, event as never, socket)
    span.follow(result, handler)
    return result
  })
}

function connectionUnder({ raw }: WSContext): ReturnType<typeof tracedConnection> {
  return typeof raw === 'object' && raw !== null ? tracedConnection(raw) : undefined
}
