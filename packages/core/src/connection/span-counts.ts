import type { Span } from '@opentelemetry/api'
import { isRecording, setAttribute } from '../api/span.ts'
import * as schema from '../schema.ts'

/**
 * Counts the messages of one connection that have no span of their own, so that every gap in the sequence numbers of its
 * spans is explained. A count is recorded on a span when it has changed since the last one: a connection whose messages
 * all have spans has no attribute of this kind.
 */
export class SpanCounts {
  #unrecordedReceived = 0
  #recordedSent = 0
  // The values that a span has recorded last.
  #reportedReceived = 0
  #reportedSent = 0
  #reportedBroadcast = 0

  /** A message was received, with this process span. */
  received(span: Span | undefined): void {
    if (!isRecording(span)) {
      this.#unrecordedReceived++
      return
    }
    this.#describeReceived(span)
  }

  /** A message that was received without a span has got one after all. */
  kept(): void {
    this.#unrecordedReceived--
  }

  /**
   * The send with this span is about to end.
   *
   * @param sequence number of this message on the connection
   * @param sent messages that the connection has sent
   * @param broadcast those of them that are members of a broadcast
   */
  sent(span: Span, sequence: number, sent: number, broadcast: number): void {
    this.#recordedSent++
    // Messages that were sent after this one in the same run have no span yet: they are not counted too early.
    if (sequence === sent) this.#describeSent(span, sent, broadcast)
  }

  /** The connection has closed. */
  closed(span: Span, sent: number, broadcast: number): void {
    this.#describeReceived(span)
    this.#describeSent(span, sent, broadcast)
  }

  #describeReceived(span: Span): void {
    if (this.#unrecordedReceived === this.#reportedReceived) return
    this.#reportedReceived = this.#unrecordedReceived
    setAttribute(span, schema.ATTR_WEBSOCKET_CONNECTION_RECEIVED_UNRECORDED, this.#unrecordedReceived)
  }

  #describeSent(span: Span, sent: number, broadcast: number): void {
    if (broadcast !== this.#reportedBroadcast) {
      this.#reportedBroadcast = broadcast
      setAttribute(span, schema.ATTR_WEBSOCKET_CONNECTION_SENT_BROADCAST, broadcast)
    }
    const unrecorded = sent - broadcast - this.#recordedSent
    // A deferred message may have its span later: the count never becomes smaller.
    if (unrecorded <= this.#reportedSent) return
    this.#reportedSent = unrecorded
    setAttribute(span, schema.ATTR_WEBSOCKET_CONNECTION_SENT_UNRECORDED, unrecorded)
  }
}
