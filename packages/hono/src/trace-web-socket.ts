import type { IncomingMessage } from 'node:http'
import type { TelemetryOptions } from '@otel-ws/core'
import { createTelemetry, type Handshake, handshakeOf, type Telemetry } from '@otel-ws/core/adapter'
import { startHandshake } from '@otel-ws/core/node'
import { driver, traceServer } from '@otel-ws/ws/adapter'
import type { Context, Hono, MiddlewareHandler } from 'hono'
import type { UpgradeWebSocket, WSEvents } from 'hono/ws'
import type { WebSocketServer } from 'ws'
import { traceEvents } from './events.ts'
import { SCOPE } from './version.ts'

/** What serves WebSockets of Hono on Node: Hono's helper, and the server of `ws` below it. */
export interface NodeWebSocket {
  // biome-ignore lint/suspicious/noExplicitAny: helpers differ in the types of their sockets and options.
  readonly upgradeWebSocket: UpgradeWebSocket<any, any, any>
  readonly wss: WebSocketServer
}

/** A helper that is traced. */
export type Traced<Helper> = Helper & {
  /** Ends every span that is still open and flushes the SDK. Call it when the process stops. */
  shutdown(): Promise<void>
}

/**
 * Traces the WebSocket routes of a Hono application on Node. Call it before the routes and middleware of the application
 * are added: requests that middleware rejects are seen from then on.
 *
 * ```ts
 * const { injectWebSocket, upgradeWebSocket } = traceWebSocket(app, createNodeWebSocket({ app }))
 * ```
 *
 * @param helper result of `createNodeWebSocket`; or `{ upgradeWebSocket, wss }` with the helper of `@hono/node-server` 2
 * @throws OptionError for wrong options
 */
export function traceWebSocket<Helper extends NodeWebSocket>(
  // biome-ignore lint/suspicious/noExplicitAny: any application.
  app: Hono<any, any, any>,
  helper: Helper,
  options: TelemetryOptions = {},
): Traced<Helper> {
  const telemetry = createTelemetry(options, SCOPE, driver)
  const shutdown = () => telemetry.shutdown()
  if (!telemetry.options.enabled) return { ...helper, shutdown }
  traceServer(helper.wss, telemetry, { traceConnectionHandler: false, traceCloseListeners: false })
  app.use(traceUpgrades(telemetry))
  return { ...helper, upgradeWebSocket: traceHelper(helper.upgradeWebSocket, telemetry), shutdown }
}

/** The first middleware of the application: all others run in the context of the handshake. */
function traceUpgrades(telemetry: Telemetry): MiddlewareHandler {
  return async function otelWs(c, next) {
    const request = upgradeRequest(c)
    const handshake = request && startHandshake(request, request.socket, () => telemetry.unroutedHandshake(request))
    if (handshake === undefined) return next()
    telemetry.routed(handshake, templateOf(c))
    if (handshake.discarded || handshake.reserved) return next()
    handshake.start()
    return handshake.run(next)
  }
}

/** The request of Node that a server was asked to upgrade; `undefined` for plain HTTP, and on other runtimes. */
function upgradeRequest(c: Context): IncomingMessage | undefined {
  if (c.req.header('upgrade')?.toLowerCase() !== 'websocket') return undefined
  const request = (c.env as { incoming?: Partial<IncomingMessage> } | undefined)?.incoming
  // A plain request with such a header is not upgraded: its answer is written to the response.
  const isUpgrade = request?.socket !== undefined && (c.env as { outgoing?: unknown }).outgoing === undefined
  return isUpgrade ? (request as IncomingMessage) : undefined
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
function traceHelper(upgradeWebSocket: UpgradeWebSocket, telemetry: Telemetry): UpgradeWebSocket {
  const own = upgradeWebSocket as (...args: unknown[]) => unknown

  function traced(...args: unknown[]): unknown {
    const [first, second, ...rest] = args
    if (typeof first !== 'function') {
      setRoute(first as Context, telemetry)
      return own(first, traceEvents(second as WSEvents), ...rest)
    }
    const createEvents = first as (c: Context) => WSEvents | Promise<WSEvents>
    const createTracedEvents = (c: Context) => {
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
