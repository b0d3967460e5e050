import type { Attributes, Context, Link, Span, SpanContext, SpanKind, Tracer } from '@opentelemetry/api'
import type { TelemetryOptions } from '../options/types.ts'
import type { Carrier } from '../propagation/carrier.ts'
import type { IncomingContext } from '../propagation/terms.ts'
import type { Protocol } from '../protocols/protocol.ts'
import type { MessageName } from '../span/names.ts'
import type { ClientSeries } from './metrics.ts'
import type { ClientProcess, ClientProcessOwner } from './process.ts'

/** The context that came with a message. */
export interface Incoming {
  /** The context that the handlers run in, without their span. */
  readonly active: Context
  /** The context that their span is started in. */
  readonly parent: Context
  readonly links: Link[]
  readonly problem: IncomingContext['problem']
  /** The sender's span is the parent, and that of this message alone. */
  readonly isPartner: boolean
  /** Other messages have the same context: that of a broadcast. */
  readonly isShared: boolean
}

/** The options that the reading of operations uses. */
interface ReadingOptions
  extends Pick<
    TelemetryOptions,
    'messages' | 'outgoing' | 'operationNames' | 'streamItems' | 'maxChildSpans' | 'remoteContext'
  > {
  readonly protocol?: string | Protocol | false
}

/** A connection whose messages are read. */
export interface ReadConnection extends ClientProcessOwner {
  readonly telemetry: ClientProcessOwner['telemetry'] & {
    readonly tracer: Tracer | undefined
    readonly options: Readonly<ReadingOptions>
  }
  readonly route: string | undefined
  readonly subprotocol: string | undefined
  readonly received: number
  readonly sent: number
  readonly series: ClientSeries | undefined
  readonly links: Link[]
  /** Of the connect span. */
  readonly spanContext: SpanContext | undefined
  /** Id of the connect span of the connection that this one replaces. */
  readonly replacedSpanId: string | undefined
  readonly unnamed: MessageName
  operations: ClientReading | undefined
  setAttributes(attributes: Attributes): void
  startSpan(name: string, kind: SpanKind, parent: Context, links: Link[]): Span | undefined
  nameOf(data: unknown, binary: boolean): MessageName
  describe(
    span: Span,
    message: MessageName,
    direction: 'receive' | 'send',
    data: unknown,
    binary: boolean,
    size: number,
    sequence?: number,
  ): void
}

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
  /**
   * Writes a context that the server has not agreed on into the place that the protocol has for it; `undefined` if the
   * protocol has none.
   */
  writeSlot<T extends string | Uint8Array>(text: T, carrier: Carrier | undefined): T | undefined
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
export type ClientOperations = (connection: ReadConnection) => ClientReading | undefined
