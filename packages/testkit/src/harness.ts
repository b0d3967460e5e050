import type { IncomingMessage, Server } from 'node:http'
import type { Sampler } from '@opentelemetry/sdk-trace'
import type { ServerOptions, WebSocket, WebSocketServer } from 'ws'

/** What `connectionOf(socket)` gives, as far as the suites use it. */
export interface Connection {
  readonly id: string
  readonly route: string | undefined
  readonly subprotocol: string | undefined
  setAttribute(name: string, value: string | number | boolean): void
  setAttributes(attributes: Record<string, string | number | boolean>): void
  run<T>(fn: () => T): T
  traceContext(): Record<string, string>
  stream(): { item(count?: number): void; end(error?: unknown): void; cancel(): void }
}

/** The user's handler of a new connection. */
export type ConnectionHandler = (socket: WebSocket, request: IncomingMessage) => unknown

export interface HostOptions {
  /** Options of the adapter; leave out for the host as it is without us. */
  readonly telemetry?: Readonly<Record<string, unknown>> | undefined
  readonly connection: ConnectionHandler
  /** Options of the host's `ws` server. */
  readonly server?: ServerOptions | undefined
}

/** A host that is listening. */
export interface Host {
  /** Where a client connects, such as `ws://127.0.0.1:4711/chat/lobby`. */
  readonly url: string
  readonly wss: WebSocketServer
  readonly http: Server
  connectionOf(socket: WebSocket): Connection | undefined
  broadcast(
    sockets: Iterable<WebSocket>,
    data: string | Buffer,
    options?: { name?: string; binary?: boolean; compress?: boolean },
  ): void
  /** Ends what the telemetry holds open; without telemetry nothing. */
  shutdown(): Promise<void>
  /** Terminates what is connected and stops listening; resolves when all of it is gone. */
  close(): Promise<void>
}

/** Where hosts differ. Each entry is a row of the compatibility table. */
export interface Capabilities {
  /** A connection handler that throws: the process dies of it, or the host handles it. */
  readonly handlerErrors: 'crash' | 'handled'
  /** The host calls `verifyClient`, `handleProtocols` and `wsClientError` of `ws`. */
  readonly serverHooks: boolean
  /** The host has no routes of its own: option `route` says them. */
  readonly routeOption: boolean
  /** Telemetry can be shut down while the host goes on serving. */
  readonly shutdownAlone: boolean
}

/** An adapter and its host, as the suites drive them. */
export interface Harness {
  readonly name: string
  /**
   * `import.meta.url` of the module that exports this harness as `harness`, for scripts that need a process of their
   * own. Leave it out for further set-ups of the same host.
   */
  readonly module?: string
  /** The route template under which `Host.url` is served. */
  readonly route: string
  readonly capabilities: Capabilities
  /** The sampler for `messageSampling: 'connection'` around the SDK's own. */
  connectionSampler(sampler: Sampler): Sampler
  start(options: HostOptions): Promise<Host>
}
