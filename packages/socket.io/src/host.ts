import type { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'

/** The members of an Engine.IO transport that are used here. Many are private in its own types. */
export interface EngineTransport {
  readonly name: string
  readonly writable: boolean
  /** The `ws` socket of transport `websocket`. */
  readonly socket?: WsSocket
}

interface WsSocket {
  readonly bufferedAmount: number
  readonly _closeCode?: number
  readonly _closeFrameSent?: boolean
  readonly _closeFrameReceived?: boolean
}

/** A connection of Engine.IO: one per client, over any transport and for all of its namespaces. */
export interface EngineSocket extends EventEmitter {
  /** Revision of the Engine.IO protocol. */
  readonly protocol?: number
  /** `null` with transport `webtransport`. */
  readonly request: IncomingMessage | null
  readonly transport: EngineTransport
  readonly readyState: string
  readonly writeBuffer: { readonly data?: unknown }[]
}

export interface EngineServer extends EventEmitter {
  readonly opts: { readonly path?: string }
  handleRequest(request: IncomingMessage, response: unknown): void
  handleUpgrade(request: IncomingMessage, socket: unknown, head: unknown): void
}

/** A packet of the Socket.IO protocol. */
export interface Packet {
  readonly type?: number
  readonly nsp?: string
  readonly data?: unknown[]
  readonly id?: number
}

export interface Decoder {
  add(chunk: unknown): unknown
  on(type: 'decoded', listener: (packet: Packet) => void): unknown
  off(type: 'decoded', listener: (packet: Packet) => void): unknown
}

export interface WriteOptions {
  readonly volatile?: boolean
  /** A `ws` frame with the encoded packet. */
  readonly wsPreEncodedFrame?: unknown
}

/** Socket.IO's object for one Engine.IO connection. */
export interface Client {
  readonly conn: EngineSocket
  readonly nsps: Map<string, Socket>
  readonly sockets: Map<string, Socket>
  readonly decoder: Decoder
  close(): unknown
  writeToEngine(encoded: unknown, options: WriteOptions): unknown
}

type Listener = (this: unknown, ...args: unknown[]) => unknown
type Middleware = (event: unknown[], next: (error?: Error) => void) => void

/** A socket in a namespace. */
export interface Socket extends EventEmitter {
  readonly id: string
  readonly nsp: Namespace
  readonly client: Client
  readonly conn: EngineSocket
  readonly request: IncomingMessage | null
  /** `issued` is the time in milliseconds when the socket was created. */
  readonly handshake: { readonly issued: number }
  readonly connected: boolean
  readonly recovered?: boolean
  readonly flags: { readonly timeout?: number }
  readonly fns: Middleware[]
  readonly _anyListeners?: Listener[]
  ack(id: number): Listener
  dispatch(event: unknown[]): void
  onack(packet: Packet): unknown
  onevent(packet: Packet): unknown
  packet(packet: Packet, options?: WriteOptions): unknown
  run(event: unknown[], done: (error?: Error | null) => void): void
  emitReserved(type: string, ...args: unknown[]): boolean
  _error(error: unknown): unknown
  _onclose(reason: string, description?: unknown): unknown
  _onerror(error: Error): void
}

/** A namespace's adapter: Socket.IO's own, or a subclass that publishes to other nodes. */
export interface Adapter {
  readonly rooms?: Map<string, Set<string>>
  emit?(type: string, ...args: unknown[]): boolean
  broadcast(packet: Packet, options: BroadcastOptions): unknown
  broadcastWithAck?(
    packet: Packet,
    options: BroadcastOptions,
    onClients: (clients: number) => void,
    onAck: (...args: unknown[]) => void,
  ): unknown
  /** Encodes a packet: its text, then its attachments. */
  _encode?(packet: Packet, options: unknown): unknown[]
  /** Calls back with each socket of this node that the options select. */
  apply?(options: BroadcastOptions, callback: (socket: Socket) => void): unknown
  serverCount?(): unknown
  serverSideEmit?(packet: unknown[]): unknown
  /** Only adapters that inherit from `ClusterAdapter` have it. */
  doPublish?(message: ClusterMessage): unknown
  onMessage?(message: ClusterMessage, offset?: unknown): unknown
}

/** A message between servers whose adapter inherits from `ClusterAdapter`. */
export interface ClusterMessage {
  readonly data?: { readonly packet?: unknown } & Record<string, unknown>
}

export interface BroadcastOptions {
  readonly rooms?: Set<string>
  readonly except?: Set<string>
  readonly flags?: { readonly timeout?: number; readonly local?: boolean }
}

/** Middleware of a namespace, as `use()` registers it. */
export type NamespaceMiddleware = (this: unknown, socket: Socket, next: (error?: Error) => void) => unknown

export interface Namespace extends EventEmitter {
  readonly name: string
  /** Sockets that are connected. */
  readonly sockets: Map<string, Socket>
  readonly _fns?: readonly NamespaceMiddleware[]
  readonly server: Server
  readonly adapter: Adapter
  run(socket: Socket, done: (error?: Error | null) => unknown): unknown
  emitReserved(type: string, ...args: unknown[]): boolean
  _doConnect(socket: Socket, done: (socket: Socket) => void): unknown
  _initAdapter(): unknown
  _onServerSideEmit(args: unknown[]): unknown
}

export interface Server {
  readonly engine?: EngineServer
  readonly sockets: Namespace
  readonly _nsps: Map<string, Namespace>
  readonly parentNsps?: Map<unknown, { readonly children: Set<Namespace> }>
  readonly parentNamespacesFromRegExp?: Map<RegExp, { readonly children: Set<Namespace> }>
  bind(engine: EngineServer): unknown
  path(): string
  close(...args: unknown[]): unknown
  _checkNamespace(name: string, auth: unknown, done: (namespace: unknown) => unknown): unknown
}
