import type { Span } from '@opentelemetry/api'
import type { MessageName } from '../span/names.ts'
import type { ClientConnection } from './connection.ts'
import type { Incoming } from './message-context.ts'
import type { ClientProcess } from './process.ts'

/** A message that a client receives. */
export interface ReceivedMessage {
  readonly data: unknown
  readonly binary: boolean
  readonly size: number
  readonly incoming: Incoming | undefined
}

/** Reads the messages of a client's connection as operations. */
export interface ClientReading {
  /** Name of the event that was read last. */
  readonly eventName: MessageName | undefined
  /** The message that was read last authenticates: no hook may see it. */
  readonly isSecret: boolean
  /** Span of the message that is being sent, if its operation has it. */
  readonly plannedSpan: Span | undefined
  /** A message has arrived. Returns what it is dispatched in; `undefined` if it is recorded as any message. */
  receive(message: ReceivedMessage): ClientProcess | undefined
  /** A message is about to be sent. Returns true if it is not recorded as any message. */
  send(data: unknown, binary: boolean, size: number): boolean
  /** The host has taken the message of the last call of `send`. */
  accepted(binary: boolean, size: number): void
  /** The host has not taken it. */
  refused(): void
  /** The connection has closed. */
  close(): void
}

/** Makes the reading of a connection that has opened: value of option `operations`. */
export type ClientOperations = (connection: ClientConnection) => ClientReading | undefined
