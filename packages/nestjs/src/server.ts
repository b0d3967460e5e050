import type { Server as HttpServer } from 'node:http'
import type { TelemetryOptions } from '@otel-ws/core'
import { createTelemetry, type RegisteredNames, type Telemetry } from '@otel-ws/core/adapter'
import { type TracedServer, traceServer, watchUpgrades, driver as wsDriver } from '@otel-ws/ws/adapter'
import { SCOPE } from './version.ts'

type WebSocketServer = Parameters<typeof traceServer>[0]

/** Where the messages of `platform-ws` have the name of their pattern. */
const PATTERN_SELECTOR = '$.event'

/** Traces the servers that an application's WebSocket adapter makes. */
export class Servers {
  readonly #options: TelemetryOptions
  readonly #patterns: RegisteredNames
  /** The http server of the application, if it has one. */
  readonly #http: () => HttpServer | undefined
  readonly #traced = new Map<object, TracedServer>()
  #ws: Telemetry | undefined
  #unwatch: (() => void) | undefined

  constructor(options: TelemetryOptions, patterns: RegisteredNames, http: () => HttpServer | undefined) {
    this.#options = options
    this.#patterns = patterns
    this.#http = http
  }

  /** @param port of the gateway; 0 when it is served by the application's own http server */
  trace(server: unknown, port: number): void {
    if (typeof server !== 'object' || server === null || this.#traced.has(server)) return
    if (isWebSocketServer(server)) this.#traceWs(server, port)
  }

  async shutdown(): Promise<void> {
    this.#unwatch?.()
    await this.#ws?.shutdown()
  }

  #traceWs(server: WebSocketServer, port: number): void {
    this.#ws ??= this.#createWsTelemetry()
    const telemetry = this.#ws
    const http = port === 0 ? this.#http() : undefined
    if (http !== undefined) this.#unwatch ??= watchUpgrades(http, (request) => telemetry.unroutedHandshake(request))
    // Nest's adapter gives each of its servers the path that it is responsible for.
    const { path } = server as { readonly path?: unknown }
    const route = typeof path === 'string' ? path : undefined
    this.#traced.set(server, traceServer(server, telemetry, { opensElsewhere: true, route }))
  }

  #createWsTelemetry(): Telemetry {
    const telemetry = createTelemetry({ messageName: PATTERN_SELECTOR, ...this.#options }, SCOPE, wsDriver)
    if (this.#options.messageName === undefined) telemetry.registeredNames = this.#patterns
    return telemetry
  }
}

function isWebSocketServer(server: object): server is WebSocketServer {
  return typeof (server as { readonly handleUpgrade?: unknown }).handleUpgrade === 'function'
}
