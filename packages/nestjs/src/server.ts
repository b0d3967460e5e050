import type { Server as HttpServer } from 'node:http'
import type { TelemetryOptions } from '@otel-ws/core'
import { createTelemetry, type RegisteredNames, type Telemetry } from '@otel-ws/core/adapter'
import { driver as socketIoDriver, traceServer as traceSocketIoServer } from '@otel-ws/socket.io/adapter'
import { traceServer as traceWsServer, watchUpgrades, driver as wsDriver } from '@otel-ws/ws/adapter'
import { SCOPE } from './version.ts'

type WsServer = Parameters<typeof traceWsServer>[0]
type SocketIoServer = Parameters<typeof traceSocketIoServer>[0]

/** Where the messages of `platform-ws` have the name of their pattern. */
const PATTERN_SELECTOR = '$.event'

/** Traces the servers that an application's WebSocket adapter makes. */
export class ServerTracer {
  readonly #options: TelemetryOptions
  readonly #patterns: RegisteredNames
  /** The http server of the application, if it has one. */
  readonly #http: () => HttpServer | undefined
  readonly #traced = new WeakSet<object>()
  readonly #restores: (() => void)[] = []
  #ws: Telemetry | undefined
  #socketIo: Telemetry | undefined
  #unwatch: (() => void) | undefined

  constructor(options: TelemetryOptions, patterns: RegisteredNames, http: () => HttpServer | undefined) {
    this.#options = options
    this.#patterns = patterns
    this.#http = http
  }

  /** @param port of the gateway; 0 when it is served by the application's own http server */
  trace(made: unknown, port: number): void {
    const server = serverOf(made)
    if (server === undefined || this.#traced.has(server)) return
    if (isWsServer(server)) this.#traceWs(server, port)
    else if (isSocketIoServer(server)) this.#traceSocketIo(server)
    else return
    this.#traced.add(server)
  }

  async shutdown(): Promise<void> {
    this.#unwatch?.()
    await Promise.all([this.#ws?.shutdown(), this.#socketIo?.shutdown()])
  }

  /** Gives servers and connections everything back. */
  release(): void {
    this.#unwatch?.()
    for (const restore of this.#restores.splice(0)) restore()
    this.#ws?.release()
    this.#socketIo?.release()
  }

  #traceWs(server: WsServer, port: number): void {
    this.#ws ??= this.#createWsTelemetry()
    const telemetry = this.#ws
    const http = port === 0 ? this.#http() : undefined
    if (http !== undefined) this.#unwatch ??= watchUpgrades(http, (request) => telemetry.unroutedHandshake(request))
    // Nest's adapter gives each of its servers the path that it is responsible for.
    const { path } = server as { readonly path?: unknown }
    const traced = traceWsServer(server, telemetry, {
      opensElsewhere: true,
      route: typeof path === 'string' ? path : undefined,
    })
    this.#restores.push(traced.restore)
  }

  #createWsTelemetry(): Telemetry {
    const telemetry = createTelemetry({ messageName: PATTERN_SELECTOR, ...this.#options }, SCOPE, wsDriver)
    if (this.#options.messageName === undefined) telemetry.registeredNames = this.#patterns
    return telemetry
  }

  #traceSocketIo(server: SocketIoServer): void {
    this.#socketIo ??= createTelemetry(this.#options, SCOPE, socketIoDriver)
    this.#restores.push(traceSocketIoServer(server, this.#socketIo, { traceConnectionHandler: false }).restore)
  }
}

/** The server itself, of which an adapter may have given a namespace. */
function serverOf(made: unknown): object | undefined {
  if (typeof made !== 'object' || made === null) return undefined
  const { server } = made as { readonly server?: unknown }
  return typeof server === 'object' && server !== null && isSocketIoServer(server) ? server : made
}

function isWsServer(server: object): server is WsServer {
  return typeof (server as { readonly handleUpgrade?: unknown }).handleUpgrade === 'function'
}

function isSocketIoServer(server: object): server is SocketIoServer {
  const { of, sockets } = server as { readonly of?: unknown; readonly sockets?: unknown }
  return typeof of === 'function' && typeof sockets === 'object'
}
