import type { IncomingMessage } from 'node:http'
import { type Handshake, handshakeOf, type Telemetry } from '@otel-ws/core/adapter'
import { startHandshake } from '@otel-ws/core/node'
import type { TraceServerOptions } from '@otel-ws/ws/adapter'
import type { Context, MiddlewareHandler } from 'hono'
import type { UpgradeWebSocket, WSEvents } from 'hono/ws'
import { traceEvents } from './events.ts'

/** Returns the telemetry of a request; `undefined` leaves it untraced. */
export type TelemetryOf = (c: Context) => Telemetry | undefined

/** Hono's own listeners are no handlers of the application: those are its events. */
export const SERVER_OPTIONS: TraceServerOptions = { traceConnectionHandler: false, traceCloseListeners: false }

/** The first middleware of the application: all others run in the context of the handshake. */
export function traceUpgrades(telemetryOf: TelemetryOf): MiddlewareHandler {
  return async function otelWs(c, next) {
    const request = upgradeRequest(c)
    const telemetry = request && telemetryOf(c)
    if (request === undefined || telemetry === undefined) return next()
    return runInHandshake(request, telemetry, () => templateOf(c), next)
  }
}

/** Runs what decides on an upgrade request in the context of its handshake. */
export function runInHandshake<R>(
  request: IncomingMessage,
  telemetry: Telemetry,
  route: () => string | undefined,
  decide: () => R,
): R {
  const handshake = startHandshake(request, request.socket, () => telemetry.unroutedHandshake(request))
  if (handshake === undefined) return decide()
  telemetry.routed(handshake, route())
  if (handshake.discarded || handshake.reserved) return decide()
  handshake.start()
  return handshake.run(decide)
}

/** The request of Node that a server was asked to upgrade; `undefined` for plain HTTP, and on other runtimes. */
function upgradeRequest(c: Context): IncomingMessage | undefined {
  return c.req.header('upgrade')?.toLowerCase() === 'websocket' ? upgradeRequestOf(c.env) : undefined
}

/** The members of the environment that Hono's servers for Node pass to an application. */
export interface NodeEnvironment {
  readonly incoming?: Partial<IncomingMessage>
  readonly outgoing?: unknown
  readonly wss?: object
}

/** As `upgradeRequest`, from the environment. */
export function upgradeRequestOf(environment: NodeEnvironment | undefined): IncomingMessage | undefined {
  const request = environment?.incoming
  // A plain request with such a header is not upgraded: its answer is written to the response.
  return request?.socket !== undefined && environment?.outgoing === undefined ? (request as IncomingMessage) : undefined
}

/** Handlers of routes that {@link traceHelper} has made. */
const tracedHandlers = new WeakSet<object>()

/** Hono stores a handler under this name on the function that it makes of it for an application inside another one. */
const COMPOSED = '__COMPOSED_HANDLER'

/** The template of the route that upgrades this request: one whose handler is the helper, else the first that may be it. */
function templateOf(c: Context): string | undefined {
  const routes = c.req.matchedRoutes
  const traced = routes.find(({ handler }) => {
    const composed = (handler as { [COMPOSED]?: object })[COMPOSED]
    return tracedHandlers.has(composed ?? handler)
  })
  return (traced ?? routes.find(({ method, path }) => method !== 'ALL' && path !== '/*'))?.path
}

/** Wraps Hono's helper in both of its forms: as the handler of a route, and called in a handler. */
export function traceHelper(upgradeWebSocket: UpgradeWebSocket, telemetryOf: TelemetryOf): UpgradeWebSocket {
  const own = upgradeWebSocket as (...args: unknown[]) => unknown

  function traced(...args: unknown[]): unknown {
    const [first, second, ...rest] = args
    if (typeof first !== 'function') {
      const telemetry = telemetryOf(first as Context)
      if (telemetry === undefined) return own(...args)
      setRoute(first as Context, telemetry)
      return own(first, traceEvents(second as WSEvents), ...rest)
    }
    const createEvents = first as (c: Context) => WSEvents | Promise<WSEvents>
    const createTracedEvents = (c: Context) => {
      const telemetry = telemetryOf(c)
      if (telemetry === undefined) return createEvents(c)
      setRoute(c, telemetry)
      const events = createEvents(c)
      return events instanceof Promise ? events.then(traceEvents) : traceEvents(events)
    }
    const handler = own(createTracedEvents, second, ...rest) as MiddlewareHandler
    tracedHandlers.add(handler)
    return handler
  }

  return traced as UpgradeWebSocket
}

/** The route of a handler that `app.all` has added is known when it runs. */
function setRoute(c: Context, telemetry: Telemetry): void {
  const request = upgradeRequest(c)
  const handshake: Handshake | undefined = request && handshakeOf(request)
  if (handshake?.outcome === undefined && handshake?.route === undefined && handshake?.discarded === false) {
    telemetry.routed(handshake, c.req.routePath)
  }
}
