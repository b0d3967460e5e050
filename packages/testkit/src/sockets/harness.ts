import type { Server } from 'node:http'
import type { Sampler } from '@opentelemetry/sdk-trace'
import type { ServerOptions, WebSocketServer } from 'ws'
import type { Connection } from '../shared/connection.ts'
import type { HandlerErrors } from '../shared/handler-errors.ts'

/** The server's end of a connection, as far as the suites use it on every host. */
export interface HostSocket {
  /** The host's own object for the connection: what its users have, and what `connectionOf()` takes. */
  readonly raw: object
  /** Sends a message: a string as text, bytes as a binary message. */
  send(data: string | Uint8Array): unknown
  /** Starts the closing handshake. */
  close(code?: number, reason?: string): unknown
  /** Ends the connection without a closing handshake. */
  terminate(): unknown
  /**
   * Sets the user's handler of messages, once per connection: texts come as strings, binary messages as bytes. What it
   * returns or throws goes to the host, as from a handler that the host's user has written.
   */
  onMessage(handler: (data: string | Buffer) => unknown): void
  /** Calls the listener once, when the host reports that the connection has closed. */
  onClose(listener: (code: number) => void): void
  /** Sends a ping; capability `pings` only. */
  ping?(data?: string): unknown
  /** Calls the listener with the data of each pong; capability `pings` only. */
  onPong?(listener: (data: string) => void): void
}

/** The user's handler of a new connection. The second argument is the host's own request, if it passes one. */
export type ConnectionHandler = (socket: HostSocket, request?: unknown) => unknown

/**
 * The user's decision on an upgrade request: the status of a rejection, or undefined to accept; at once or later. A
 * promise that never settles leaves the request without an answer.
 *
 * @param url path and query of the request
 */
export type Authorize = (url: string) => number | undefined | Promise<number | undefined>

export interface HostOptions {
  /** Options of the adapter; leave out for the bare host. */
  readonly telemetry?: Readonly<Record<string, unknown>> | undefined
  readonly connection: ConnectionHandler
  /** Default: every request is accepted. */
  readonly authorize?: Authorize | undefined
  /** Limit of a message in bytes; a longer one closes its connection with 1009. Default: that of the host. */
  readonly maxMessageSize?: number | undefined
  /** Options of the `ws` server; capability `ws` only. */
  readonly server?: ServerOptions | undefined
}

/** A host that is listening. It answers plain HTTP requests in any way it likes. */
export interface Host {
  /** Where a client connects, such as `ws://127.0.0.1:4711/chat/lobby`. */
  readonly url: string
  /** The servers below; capability `ws` only. */
  readonly ws?: WsServers | undefined
  /** @param raw the host's own object for a connection */
  connectionOf(raw: object): Connection | undefined
  /** Sends one message to many with the adapter's function for that; capability `broadcast` only. */
  broadcast?(sockets: Iterable<HostSocket>, data: string | Buffer, options?: { readonly name?: string }): void
  /** Ends the telemetry's open spans; without telemetry nothing. */
  shutdown(): Promise<void>
  /** Terminates what is connected and stops listening; resolves when all of it is gone. */
  close(): Promise<void>
}

export interface WsServers {
  readonly server: WebSocketServer
  readonly http: Server
}

/** Where hosts differ. Each entry is a row of the compatibility table. */
export interface Capabilities {
  /** What becomes of an error of the connection handler. */
  readonly connectionErrors: HandlerErrors
  /** The host is a server of the package `ws`: users have its sockets with all of their methods, and its hooks. */
  readonly ws: boolean
  /** The adapter sees how each upgrade request ends, also when the host refuses it or its client hangs up. */
  readonly seesAnswers: boolean
  /** The address of the peer is known. */
  readonly peerAddress: boolean
  /** The host itself uses `X-Forwarded-Proto`, also of a peer that is no trusted proxy. Default false. */
  readonly trustsProto?: boolean
  /** Handlers of the end of a connection have a span. Default true. */
  readonly closeHandlers?: boolean
  /** Users can send pings. */
  readonly pings: boolean
  /** The adapter has a function that sends one message to many. */
  readonly broadcast: boolean
  /** The host has no routes of its own: option `route` sets the route. */
  readonly routeOption: boolean
  /** Telemetry can be shut down while the host continues to serve. */
  readonly shutdownAlone: boolean
}

/** A close, as the close span describes it. */
export interface CloseFacts {
  readonly code: number
  readonly category: string
  readonly initiator: 'local' | 'remote' | 'network'
  /** The close is an error by default: `error.type` is its category. */
  readonly error?: true
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
  /** Rows of the close table where the host reports less than a server of `ws`, by the names in `closeCases`. */
  readonly closes?: Readonly<Record<string, CloseFacts>>
  /** The sampler for `messageSampling: 'connection'` around the SDK's own. */
  connectionSampler(sampler: Sampler): Sampler
  start(options: HostOptions): Promise<Host>
}
