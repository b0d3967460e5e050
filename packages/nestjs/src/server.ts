import type { Server as HttpServer } from 'node:http'
import type { TelemetryOptions } from '@otel-ws/core'
import { createTelemetry, type RegisteredNames, type Telemetry } from '@otel-ws/core/adapter'
import { driver as socketIoDriver, traceServer as traceSocketIoServer } from '@otel-ws/socket.io/adapter'
import { closeDestroyed, traceServer as traceWsServer, watchUpgrades, driver as wsDriver } from '@otel-ws/ws/adapter'
import { isServerError } from './exceptions.ts'
import { SCOPE } from './version.ts'

type WsServer = Parameters<typeof traceWsServer>[0]
type SocketIoServer = Parameters<typeof traceSocketIoServer>[0]

/** Member of the messages of `platform-ws` that has the pattern. */
const PATTERN_SELECTOR = '$.event'

/** Traces the servers that an application's WebSocket adapter creates. */
export class ServerTracer {
  readonly #options: TelemetryOptions
  readonly #patterns: RegisteredNames
  /** Returns the HTTP server of the application, if it has one. */
  readonly #http: () => HttpServer | undefined
  readonly #traced = new WeakSet<object>()
  readonly #wsServers: WsServer[] = []
  readonly #restore: (() => void)[] = []
  #ws: Telemetry | undefined
  #socketIo: Telemetry | undefined
  #unwatchUpgrades: (() => void) | undefined

  constructor(options: TelemetryOptions, patterns: RegisteredNames, http: () => HttpServer | undefined) {
    this.#options = options
    this.#patterns = patterns
    this.#http = http
  }

  /**
   * @param created server or namespace that the adapter returned
   * @param port of the gateway; 0 if the application's HTTP server serves it
   */
  trace(created: unknown, port: number): void {
    const server = serverOf(created)
    if (server === undefined || this.#traced.has(server)) return
    if (isWsServer(server)) this.#traceWs(server, port)
    else if (isSocketIoServer(server)) this.#traceSocketIo(server)
    else return
    this.#traced.add(server)
  }

  /** Ends every open span, when the application has closed its servers. */
  end(): void {
    this.#unwatchUpgrades?.()
    for (const server of this.#wsServers) closeDestroyed(server)
    this.#ws?.end()
    this.#socketIo?.end()
  }

  /** Restores the original methods of servers and connections. */
  release(): void {
    this.#unwatchUpgrades?.()
    for (const restore of this.#restore.splice(0)) restore()
    this.#ws?.release()
    this.#socketIo?.release()
  }

  #traceWs(server: WsServer, port: number): void {
    this.#ws ??= this.#createWsTelemetry()
    const telemetry = this.#ws
    const http = port === 0 ? this.#http() : undefined
    if (http !== undefined)
      this.#unwatchUpgrades ??= watchUpgrades(http, (request) => telemetry.unclaimedHandshake(request))
    // Nest's adapter sets `path` on each server that it creates.
    const { path } = server as { readonly path?: unknown }
    const traced = traceWsServer(server, telemetry, {
      traceConnectionHandler: false,
      traceCloseListeners: false,
      route: typeof path === 'string' ? path : undefined,
    })
    this.#wsServers.push(server)
    this.#restore.push(traced.restore)
  }

  #createWsTelemetry(): Telemetry {
    const telemetry = createTelemetry({ messageName: PATTERN_SELECTOR, ...this.#options }, SCOPE, {
      ...wsDriver,
      isError: isServerError,
    })
    if (this.#options.messageName === undefined) telemetry.services.registeredNames = this.#patterns
    return telemetry
  }

  #traceSocketIo(server: SocketIoServer): void {
    this.#socketIo ??= createTelemetry(this.#options, SCOPE, { ...socketIoDriver, isError: isServerError })
    this.#restore.push(traceSocketIoServer(server, this.#socketIo, { traceConnectionHandler: false }).restore)
  }
}

/** Returns the server of a namespace, or the server itself. */
function serverOf(created: unknown): object | undefined {
  if (typeof created !== 'object' || created === null) return undefined
  const { server } = created as { readonly server?: unknown }
  return typeof server === 'object' && server !== null && isSocketIoServer(server) ? server : created
}

function isWsServer(server: object): server is WsServer {
  return typeof (server as { readonly handleUpgrade?: unknown }).handleUpgrade === 'function'
}

function isSocketIoServer(server: object): server is SocketIoServer {
  const { of, sockets } = server as { readonly of?: unknown; readonly sockets?: unknown }
  return typeof of === 'function' && typeof sockets === 'object'
}
