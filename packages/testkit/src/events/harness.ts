import type { Sampler } from '@opentelemetry/sdk-trace'
import type { Connection } from '../shared/connection.ts'
import type { HandlerErrors } from '../shared/handler-errors.ts'
import type { CloseFacts, HostSocket } from '../sockets/harness.ts'
import type { RawClient } from '../testing/raw-client.ts'

/** The server's end of a connection, as handlers of any host get it. */
export interface EventSocket {
  /** The host's own socket. */
  readonly raw: object
  /** Sends an event to this client. */
  emit(name: string, data?: unknown): void
  /** Sends an event and waits for the client's acknowledgement; capability `acks` only. */
  ask(name: string, data?: unknown, timeout?: number): Promise<unknown>
  /** Joins a room; capability `rooms` only. */
  join(room: string): void
  /** Ends the connection from the server's side. */
  disconnect(): void
}

/** The user's handler of an event. What it returns, or resolves to, is the answer to a client that waits for one. */
export type EventHandler = (socket: EventSocket, data: unknown) => unknown

export interface EventHostOptions {
  /** Options of the adapter; leave out for the bare host. */
  readonly telemetry?: Readonly<Record<string, unknown>> | undefined
  /**
   * The user's decision on a client that wants to connect: throws or rejects to turn it away, in the host's own way. While
   * it has not settled the client waits. Default: every client is let in.
   */
  readonly authorize?: (() => unknown) | undefined
  /** The user's handler of a new connection. */
  readonly connection?: ((socket: EventSocket) => unknown) | undefined
  /** Handlers by the name of their event: registered with the host as its users do. */
  readonly events?: Readonly<Record<string, EventHandler>> | undefined
  /** Limit of a message in bytes; a longer one ends its connection. Default: that of the host. */
  readonly maxMessageSize?: number | undefined
  /** Pings each client and ends the connection of one that does not answer; capability `heartbeats`. In ms. */
  readonly heartbeat?: { readonly interval: number; readonly timeout: number } | undefined
}

/** The recipients of a broadcast: all, or those in a room, without those in another. */
export interface BroadcastTarget {
  readonly room?: string
  readonly except?: string
}

export interface EventConnectOptions {
  /** The version of context in messages that the client offers to this server, `'1'` at present. Default: no offer. */
  readonly offer?: string | undefined
  /** Headers of the client's requests. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Makes a client that waits to be let in hang up. */
  readonly signal?: AbortSignal | undefined
}

/** A host of events that is listening. */
export interface EventHost {
  connectionOf(socket: EventSocket): Connection | undefined
  /** Sends an event to many; with a target capability `rooms` only. */
  broadcast(name: string, data?: unknown, target?: BroadcastTarget): void
  /** A client that has been let in; rejects when it is turned away. */
  connect(options?: EventConnectOptions): Promise<EventClient>
  /** A client that has been let in and continues in frames written by hand; capability `frames` only. */
  rawConnect?(): Promise<RawClient>
  /** Ends the telemetry's open spans; without telemetry nothing. */
  shutdown(): Promise<void>
  /** Ends all connections and stops listening; resolves when all of it is gone. */
  close(): Promise<void>
}

/** Trace context in a message: `traceparent` and the like. */
export type Carrier = Readonly<Record<string, string>>

/** A client of the host, which queues what it receives. */
export interface EventClient {
  /** The host's own client. */
  readonly raw: object
  /** The id of the connection, which the server sends when it agrees to context in messages. */
  readonly agreement?: string | undefined
  /** Sends an event, with a carrier where the host's messages have it. */
  emit(name: string, data?: unknown, carrier?: Carrier): void
  /** Sends an event and waits for its answer; capability `acks` only. */
  request(name: string, data?: unknown): Promise<unknown>
  /** Answers the events of this name that the server waits for; capability `acks` only. */
  answer(name: string, answer: (data: unknown) => unknown): void
  /** The next event that no `answer` took. */
  next(): Promise<ReceivedEvent>
  /** Leaves in the host's own orderly way, and waits until that is done. */
  leave(): Promise<void>
  /** Cuts the connection. */
  abort(): void
  /** Answers no more pings; capability `heartbeats`. */
  freeze?(): void
  /** Resolves when the connection has ended, whichever end did it. */
  readonly closed: Promise<void>
}

export interface ReceivedEvent {
  readonly name: string
  readonly data: unknown
  /** The carrier in the message; absent without one. */
  readonly carrier?: Carrier
}

/** Where event hosts differ. Each entry is a row of the compatibility table. */
export interface EventCapabilities {
  /** Events can be acknowledged, in both directions. */
  readonly acks: boolean
  /** The host has broadcasts, and rooms to send them to. */
  readonly rooms: boolean
  /** What becomes of an error of an event handler. */
  readonly eventErrors: HandlerErrors
  /** What becomes of an error of the connection handler. */
  readonly connectionErrors: HandlerErrors
  /**
   * Events without a handler: named `_OTHER`; by their own name, on hosts that have no registered names; or not seen by
   * the adapter.
   */
  readonly unknownEvents: 'other' | 'named' | 'unseen'
  /** Clients are pinged: by the host itself, with option `heartbeatInterval`, or not at all. */
  readonly heartbeats: 'host' | 'option' | 'none'
  /** The adapter sees how each request to connect ends, also when its client hangs up before it is answered. */
  readonly seesAnswers: boolean
  /** Connections are WebSockets, and a client can be written by hand. */
  readonly frames: boolean
  /** Telemetry can be shut down while the host continues to serve. */
  readonly shutdownAlone: boolean
}

/** How the spans of a host's connections are named, and what they have in addition. */
export interface EventNames {
  /** Route of the connections: in the names of their spans and on them. */
  readonly route: string
  /** Namespace, of hosts that have them. */
  readonly namespace: string | undefined
  /** Name of the span of a connection's handshake. */
  readonly handshake: string
  /** Attributes of the handshake of a client that `authorize` turns away with an error of the class `Forbidden`. */
  readonly rejected: Readonly<Record<string, unknown>>
  /** Attributes of a handshake that a client abandons, beside its outcome. */
  readonly abandoned?: Readonly<Record<string, unknown>>
  /** Names of the spans of the connection below, of hosts that have several connections on one, such as namespaces. */
  readonly below?: readonly string[]
  /** Route of the metrics of heartbeats. Default: `route`. */
  readonly heartbeatRoute?: string
  /** Characters of the longest name that is read out of a payload. Default: the host has names apart from payloads. */
  readonly longestRead?: number
  /** Further attributes of open spans. */
  readonly onOpen?: Readonly<Record<string, string>>
  /** Further attributes of process spans, by the name of their event. */
  readonly onProcess?: (event: string) => Readonly<Record<string, string>>
}

/** A way to end a connection that is a row of the close table. */
export interface EventCloseCase extends CloseFacts {
  act(ends: { readonly client: EventClient; readonly socket: EventSocket; readonly host: EventHost }): unknown
  /** With option `closeReason`. */
  readonly reason?: string
}

/** An adapter and its host, as the suites for events drive them. */
export interface EventHarness {
  readonly name: string
  readonly names: EventNames
  readonly capabilities: EventCapabilities
  /** The close when the client leaves, when the server ends the connection, and when it is cut. */
  readonly closes: Readonly<Record<'leave' | 'disconnect' | 'abort', CloseFacts>>
  /** Further rows of the close table. */
  readonly closeCases?: Readonly<Record<string, EventCloseCase>>
  /** The socket of messages below that of events, on hosts that have one: then its own closes are tested too. */
  readonly hostSocket?: (socket: EventSocket) => HostSocket
  /** Bytes of an event on the wire, as this end of the host writes it; with the id of the answer that it waits for. */
  size(from: 'client' | 'server', name: string, data?: unknown, id?: number): number
  /** The bare host itself keeps the socket that came last. */
  readonly keepsLast?: boolean
  /** Type of the messages of this host for data without bytes in it. */
  readonly type: 'text' | 'binary'
  /** The sampler for `messageSampling: 'connection'` around the SDK's own. */
  connectionSampler(sampler: Sampler): Sampler
  start(options: EventHostOptions): Promise<EventHost>
}
