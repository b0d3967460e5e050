import type { Attributes, HrTime, Link, Span, SpanKind } from '@opentelemetry/api'
import type { Series } from '../metrics/series.ts'
import type { Services } from '../services/services.ts'
import type { MessageName } from '../span/names.ts'

/** The connection that a message is sent on, as far as the message needs it. */
export interface Sender {
  readonly services: Services
  readonly series: Series
  readonly route: string | undefined
  /** Number of messages that the host has accepted. */
  readonly sent: number
  /** Number of those that are members of a broadcast. */
  broadcastSent: number
  /** Attributes of every span of the connection. */
  identity(): Attributes
  /** Takes one span from the connection's budget; false if the budget is used up. */
  takeInside(isOwnTrace: boolean): boolean
  /** True if option `messages`, `outgoing` or `ignore` leaves the message without a span. */
  isSendUntraced(message: MessageName): boolean
  /** Starts the span of a message that is sent outside of any span; `undefined` if it gets none. */
  startSendSpan(message: MessageName, startTime: HrTime, kind: SpanKind, undecided: boolean): Span | undefined
  /** Sets the connection's attributes and links on a span that was started as `undecided`. */
  completeSendSpan(span: Span, isRoot: boolean): void
  /** Links of a message that another connection's message has caused. */
  receiverLinks(): Link[]
  /** The message of this sequence number has a span of its own: records on it how many have none. */
  countSendSpan(span: Span, sequence: number): void
  /** Calls hook `onMessage`. */
  callSendHook(span: Span, data: unknown, binary: boolean): void
}
