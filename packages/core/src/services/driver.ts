import type { UpgradeRequest } from '../options/types.ts'

/** Name and version of an adapter: the instrumentation scope of its spans and metrics. */
export interface Scope {
  readonly name: string
  readonly version: string
}

/** The operations that core needs of a host: one object of plain functions per adapter. */
export interface HostDriver<Socket, Data = unknown> {
  /** True if the messages of the host's sockets are the application's own, so that they may be those of a protocol. */
  readonly hasRawMessages?: boolean
  /** Text of the payload's bytes from `start` to `end`; either may be inside a character. */
  text(data: Data, start: number, end: number): string
  /** The other end of the connection that a request came over. */
  peer?(request: UpgradeRequest): Peer
  /** False for an error by which applications of this host refuse a message on purpose. Default: every error is one. */
  isError?(error: unknown): boolean
  /** Bytes that the host has accepted for sending and not yet written to the kernel. */
  bufferedAmount(socket: Socket): number
  /** Sends a ping frame. Leave it out for hosts whose protocol has no pings. */
  ping?(socket: Socket, payload: string): void
  /** Closes the connection without a close frame. */
  terminate?(socket: Socket): void
  /** Removes the adapter's methods from the socket of a connection that stays open. */
  release?(socket: Socket): void
}

/** Names that the application has message handlers for. */
export interface RegisteredNames {
  has(name: string): boolean
}

/** Address of the other end of a connection. */
export interface Peer {
  readonly address?: string | undefined
  readonly port?: number | undefined
}
