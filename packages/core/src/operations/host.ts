import type { Attributes, Context, Link, Span, SpanContext, SpanKind } from '@opentelemetry/api'
import type { Carrier } from '../propagation/carrier.ts'
import type { Protocol } from '../protocols/protocol.ts'
import type { OpenOperation, OperationScope } from './open-operation.ts'
import type { OperationDeadlines } from './operation-deadlines.ts'
import type { OperationNames } from './operation-names.ts'
import type { OperationInstruments, OperationSeries } from './recorder.ts'

/** What all connections of a server or client have in common. */
export interface OperationSettings {
  readonly names: OperationNames
  readonly deadlines: Pick<OperationDeadlines, 'add' | 'delete'>
  readonly maxOperations: number
  readonly streamItems: boolean
  /** Most messages that become children of one span. */
  readonly maxChildSpans: number
  /** Requests that a lost connection left unanswered, for clients, which may send them again. */
  readonly unanswered?: UnansweredRequests
  /** The context of the caller of a request, for libraries that send later than they are called. */
  readonly callerOf?: (key: string, name: string | undefined) => Context | undefined
}

/** Requests that were open when their connection was lost. */
export interface UnansweredRequests {
  add(key: string, name: string | undefined, span: SpanContext): void
  /** The span of the request that is sent again. */
  take(key: string, name: string | undefined): SpanContext | undefined
}

/** The connection whose messages are read. `P` is what its messages are dispatched in, `M` a message that it receives. */
export interface OperationHost<P, M> {
  readonly route: string | undefined
  readonly received: number
  readonly sent: number
  readonly series: OperationSeries
  readonly instruments: OperationInstruments
  /** Text of the payload's bytes from `start` to `end`. */
  textOf(data: unknown, start: number, end: number): string
  /** Reads the messages of the connection as those of a protocol from now on; `undefined` if it has none. */
  useProtocol(protocol: Protocol | undefined, isConfirmed?: boolean): MessageReading<P, M> | undefined
  /** A protocol that was used while it was not confirmed is the one of the connection. */
  protocolConfirmed(protocol: Protocol): void
  /** True if spans are made in this direction. */
  traces(direction: 'receive' | 'send'): boolean
  /** Starts a span with the connection's attributes; one without a parent is linked to the handshake. */
  startOperationSpan(
    name: string,
    kind: SpanKind,
    attributes: Attributes,
    parent: Context | undefined,
    link?: Link,
  ): Span | undefined
  /** Starts the process of a message that begins an operation. */
  startOperation(message: M, request: StartedRequest): P & OperationScope
  /** Starts the process of a message that begins several. */
  startBatch(message: M, attributes: Attributes): P & BatchHolder
  /**
   * Starts the dispatch of a message that has no span of its own.
   *
   * @param parent the handlers run in this context; without it, outside of any span
   * @param settled called when the synchronous part of the handlers has returned
   * @param isMeasured the duration of the handlers is recorded, as that of any message
   */
  startQuiet(parent: Context | undefined, settled?: () => void, isMeasured?: boolean): P
  /** True if what was sent is written. */
  readonly isFlushed: boolean
  /** Calls back when it is. */
  whenFlushed(callback: () => void): void
  /** The application's protocol threw. */
  protocolFailed(error: unknown): void
}

/** A request that has arrived, for the span of its process. */
export interface StartedRequest {
  readonly operation: OpenOperation
  readonly spanName: string
  readonly attributes: Attributes
  /** The context in the place that the protocol has for it. */
  readonly carrier: Carrier | undefined
  /** No hook may see the message. */
  readonly isSecret: boolean
}

/** The process of a message with several requests. */
export interface BatchHolder extends Context {
  hold(): void
  done(): void
}

/** What reads the messages of a connection: its operations, or while it is not known whether it has any, the detection. */
export interface MessageReading<P, M> {
  /** Name of the event that was read last, for the message's span. */
  readonly eventName: string | undefined
  /** The message that was read last authenticates: no hook may see it. */
  readonly isSecret: boolean
  /** Span of the message that is being sent, if its operation has it. */
  readonly plannedSpan: Span | undefined
  /** Where the protocol has a place for the context of requests. */
  readonly slot: string | undefined
  /** True if the message that is being sent is a request. */
  readonly isRequest: boolean
  /**
   * A message has arrived. Returns what it is dispatched in; `undefined` if it is recorded as any message.
   *
   * @param message passed to the host when the message begins an operation
   */
  receive(data: unknown, binary: boolean, size: number, message: M, host: OperationHost<P, M>): P | undefined
  /** A message is about to be sent. Returns true if it is not recorded as any message. */
  send(data: unknown, binary: boolean, size: number, host: OperationHost<P, M>): boolean
  /** The host has accepted the message of the last call of `send`. */
  accepted(size: number): void
  /** The host has not accepted it. */
  refused(): void
  /** The connection has closed: ends all operations. */
  close(): void
}
