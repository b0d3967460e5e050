import type { Sampler } from '@opentelemetry/sdk-trace'
import type { Connection } from '../shared/connection.ts'

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

/** The user's handler of an event. What it returns, or resolves to, is the answer that a client gets which asked for one. */
export type EventHandler = (socket: EventSocket, data: unknown) => unknown

export interface EventHostOptions {
  /** Options of the adapter; leave out for the host as it is without us. */
  readonly telemetry?: Readonly<Record<string, unknown>> | undefined
  /** The user's handler of a new connection. */
  readonly connection?: (socket: EventSocket) => unknown
  /** Handlers by the name of their event: registered with the host as its users do. */
  readonly events?: Readonly<Record<string, EventHandler>>
}

/** Whom a broadcast goes to: all, or those in a room, but for those in another. */
export interface BroadcastTarget {
  readonly room?: string
  readonly except?: string
}

/** A host of events that is listening. */
export interface EventHost {
  connectionOf(socket: EventSocket): Connection | undefined
  /** Sends an event to many; with a target capability `rooms` only. */
  broadcast(name: string, data?: unknown, target?: BroadcastTarget): void
  /** A client that is connected. */
  connect(): Promise<EventClient>
  /** Ends what the telemetry holds open; without telemetry nothing. */
  shutdown(): Promise<void>
  /** Ends all connections and stops listening; resolves when all of it is gone. */
  close(): Promise<void>
}

/** A client of the host, which queues what it receives. */
export interface EventClient {
  emit(name: string, data?: unknown): void
  /** Sends an event and waits for its answer; capability `acks` only. */
  request(name: string, data?: unknown): Promise<unknown>
  /** Answers the events of this name that the server waits for; capability `acks` only. */
  answer(name: string, answer: (data: unknown) => unknown): void
  /** The next event that no `answer` took. */
  next(): Promise<{ readonly name: string; readonly data: unknown }>
  /** Leaves in the host's own orderly way, and waits until that is done. */
  leave(): Promise<void>
  /** Cuts the connection. */
  abort(): void
  /** Resolves when the connection has ended, whoever ended it. */
  readonly closed: Promise<void>
}

/** Where event hosts differ. Each entry is a row of the compatibility table. */
export interface EventCapabilities {
  /** Events can be acknowledged, in both directions. */
  readonly acks: boolean
  /** The host has broadcasts, and rooms to send them to. */
  readonly rooms: boolean
  /** What a handler that rejects makes of the process: nothing, since the host catches it, or an unhandled rejection. */
  readonly rejections: 'handled' | 'unhandled'
  /** Events that no handler is registered for: told as `_OTHER`, or not seen by us. */
  readonly unknownEvents: 'told' | 'unseen'
  /** Telemetry can be shut down while the host goes on serving. */
  readonly shutdownAlone: boolean
}

/** What the conformance suite has to know of how a host tells its connections. */
export interface EventNames {
  /** Route of the connections: in the names of their spans and on them. */
  readonly route: string
  /** Namespace, of hosts that have them. */
  readonly namespace: string | undefined
  /** Name of the span of a connection's handshake. */
  readonly handshake: string
  /** Characters of the longest name that is read out of a payload. Default: names are told apart from the payload. */
  readonly longestRead?: number
  /** What open spans have besides. */
  readonly onOpen?: Readonly<Record<string, string>>
  /** What process spans have besides, by the name of their event. */
  readonly onProcess?: (event: string) => Readonly<Record<string, string>>
}

/** An adapter and its host, as the suites for events drive them. */
export interface EventHarness {
  readonly name: string
  readonly names: EventNames
  readonly capabilities: EventCapabilities
  /** Category, code and initiator of a close: when the client leaves, when the server ends it, and when it is cut. */
  readonly closes: Readonly<Record<'leave' | 'disconnect' | 'abort', EventClose>>
  /** Bytes of an event on the wire, as this end of the host writes it; with the id of the answer it asks for. */
  size(from: 'client' | 'server', name: string, data?: unknown, id?: number): number
  /** The host itself, without us, keeps the socket that came last. */
  readonly keepsLast?: boolean
  /** Type of the messages of this host for data without bytes in it. */
  readonly type: 'text' | 'binary'
  /** The sampler for `messageSampling: 'connection'` around the SDK's own. */
  connectionSampler(sampler: Sampler): Sampler
  start(options: EventHostOptions): Promise<EventHost>
}

export interface EventClose {
  readonly code: number
  readonly category: string
  readonly initiator: 'local' | 'remote' | 'network'
}
