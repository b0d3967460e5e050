/** Types of packets of the Socket.IO protocol, as they are before they are encoded. */
export const CONNECT = 0
export const EVENT = 2
export const ACK = 3

export interface Packet {
  readonly type: number
  readonly nsp?: string
  readonly id?: number
  readonly data?: unknown
}

export type Callback = ((this: unknown, ...args: unknown[]) => unknown) & {
  withError?: boolean
  /** The original of a `once` listener. */
  fn?: Callback
}

/** The members of Socket.IO's client that are used, most of which its types keep private. */
export interface Host {
  readonly io: Manager
  readonly nsp: string
  readonly connected: boolean
  readonly active: boolean
  readonly flags: { readonly volatile?: boolean; readonly fromQueue?: boolean }
  readonly sendBuffer: readonly Packet[]
  readonly _opts: { readonly retries?: number }
  readonly _anyListeners?: readonly Callback[]
  readonly _pid?: string
  _lastOffset?: string
  listeners(event: string): Callback[]
  off(event: string, listener: Callback): unknown
  emit(...args: unknown[]): unknown
  emitEvent(args: unknown[], ...more: unknown[]): unknown
  emitReserved(type: string, ...args: unknown[]): unknown
  packet(packet: Packet, ...more: unknown[]): unknown
  onevent(packet: Packet, ...more: unknown[]): unknown
  onack(packet: Packet, ...more: unknown[]): unknown
  onconnect(...args: unknown[]): unknown
  connect(): unknown
  disconnect(): unknown
  _registerAckCallback(id: number, ack: Callback, ...more: unknown[]): unknown
}

/** The connection that the sockets of several namespaces share. */
export interface Manager {
  opts: { readonly query?: Readonly<Record<string, unknown>> }
  readonly uri: string
  readonly _readyState: string
  readonly engine?: {
    readonly transport?: { readonly name?: string; readonly ws?: { readonly bufferedAmount: number } }
  }
  readonly encoder: { encode(packet: Packet): unknown[] }
  readonly decoder: { add(chunk: unknown): unknown; on(type: 'decoded', listener: (packet: Packet) => void): unknown }
  open(...args: unknown[]): unknown
  emitReserved(type: string, ...args: unknown[]): unknown
}
