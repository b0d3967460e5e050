import type { SpanContext } from '@opentelemetry/api'
import type { NetworkTransport } from '../close/attributes.ts'
import type { AckWaiter } from '../context/ack.ts'
import type { PartialMessage } from '../outgoing/batch.ts'
import type { FlushPoller } from '../outgoing/flush-poller.ts'
import type { PropagationTerms } from '../propagation/terms.ts'
import type { AggregateWindow } from './aggregate.ts'
import type { ConnectionContext } from './context.ts'
import type { Pings } from './pings.ts'
import type { Stream } from './stream.ts'

/** State that most connections do not have most of the time: allocated on first use. */
export class RareState {
  /** The message of which fragments have been sent. */
  partialSend: PartialMessage | undefined
  /** Terms for contexts that option `messageContext` reads. */
  foreignTerms: PropagationTerms | undefined
  /** Terms that hold once the client has confirmed them. */
  offeredTerms: PropagationTerms | undefined
  droppedSpans = 0
  networkTransport: NetworkTransport | undefined
  streams: Set<Stream> | undefined
  acks: Set<AckWaiter> | undefined
  flushPoller: FlushPoller | undefined
  pings: Pings | undefined
  sentCode: number | undefined
  sentReason: string | undefined
  failedCode: number | undefined
  terminated = false
  /** The span whose code closed the connection. */
  closeCause: SpanContext | undefined
  timedOut = false
  /** It has ended, and was not meant to. Known with option `keep` alone. */
  endedAbnormally = false
  /** When its server began to close, in milliseconds on the monotonic clock. */
  drainingSince: number | undefined
  /** Milliseconds that the connection had been open when it was adopted. */
  ageBefore: number | undefined
  view: ConnectionContext | undefined
  /** By the names of option `aggregate`. */
  windows: Map<string, AggregateWindow> | undefined
}
