import type { TelemetryOptions } from '@otel-ws/core'
import { createTelemetry } from '@otel-ws/core/adapter'
import { driver, traceServer } from '@otel-ws/ws/adapter'
import type { Hono } from 'hono'
import type { UpgradeWebSocket } from 'hono/ws'
import type { WebSocketServer } from 'ws'
import { replaceAmbient } from './ambient.ts'
import { SERVER_OPTIONS, traceHelper, traceUpgrades } from './routes.ts'
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
  replaceAmbient(helper.wss)
  if (!telemetry.options.enabled) return { ...helper, shutdown }
  traceServer(helper.wss, telemetry, SERVER_OPTIONS)
  app.use(traceUpgrades(() => telemetry))
  return { ...helper, upgradeWebSocket: traceHelper(helper.upgradeWebSocket, () => telemetry), shutdown }
}
