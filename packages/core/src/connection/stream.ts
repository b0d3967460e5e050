import type { Histogram, Span } from '@opentelemetry/api'
import { setAttribute } from '../api/span.ts'
import type { Series } from '../metrics/series.ts'
import * as schema from '../schema.ts'
import { errorType } from '../span/error-type.ts'
import type { Process } from './process.ts'

/** Outcome of a stream. */
type StreamOutcome = 'completed' | 'failed' | 'cancelled' | 'disconnected'

/** The members of a connection that a stream uses. */
interface StreamConnection {
  readonly series: Pick<Series, 'streams' | 'named' | 'attributes'>
  readonly services: {
    readonly metrics: {
      readonly recording: boolean
      readonly streamFirstItem: Histogram
      readonly streamDuration: Histogram
    }
  }
  streamEnded(stream: Stream): void
}

/**
 * Measures an answer that is sent in pieces: tokens, audio chunks, rows. Times are measured from the dispatch of the
 * message that is answered, or from the creation of the stream if it answers none.
 */
export class Stream {
  readonly #connection: StreamConnection
  readonly #process: Process | undefined
  readonly #startTime: number
  #items = 0
  #firstAt = 0
  #lastAt = 0
  #outcome: StreamOutcome | undefined

  constructor(connection: StreamConnection, process: Process | undefined) {
    this.#connection = connection
    this.#process = process
    this.#startTime = process !== undefined && process.startTime !== 0 ? process.startTime : performance.now()
    connection.series.streams++
    process?.attach(this)
  }

  /**
   * Records that `count` items were sent. Default: one, now.
   *
   * @param at when, in milliseconds on the monotonic clock (`performance.now()`)
   */
  item(count = 1, at = performance.now()): void {
    if (this.#outcome !== undefined || !(count > 0)) return
    this.#lastAt = at
    if (this.#items === 0) {
      this.#firstAt = at
      const { metrics } = this.#connection.services
      if (metrics.recording) metrics.streamFirstItem.record(this.#seconds(at), this.#attributes())
    }
    this.#items += count
  }

  /** Ends the stream, with an error if it failed. Later calls do nothing. */
  end(error?: unknown): void {
    this.#end(error === undefined ? 'completed' : 'failed', error)
  }

  /** Ends a stream whose receiver has cancelled it, which is not an error. Later calls do nothing. */
  cancel(): void {
    this.#end('cancelled')
  }

  /** The connection closed before the stream ended. */
  disconnect(): void {
    this.#end('disconnected', new StreamDisconnectedError())
  }

  /** Sets the figures on the process span. */
  describe(span: Span): void {
    setAttribute(span, schema.ATTR_WEBSOCKET_STREAM_ITEMS, this.#items)
    if (this.#outcome !== undefined) setAttribute(span, schema.ATTR_WEBSOCKET_STREAM_OUTCOME, this.#outcome)
    if (this.#items === 0) return
    setAttribute(span, schema.ATTR_WEBSOCKET_STREAM_TIME_TO_FIRST_ITEM, this.#seconds(this.#firstAt))
    setAttribute(span, schema.ATTR_WEBSOCKET_STREAM_TIME_TO_LAST_ITEM, this.#seconds(this.#lastAt))
    if (this.#items > 1) {
      const interval = (this.#lastAt - this.#firstAt) / 1000 / (this.#items - 1)
      setAttribute(span, schema.ATTR_WEBSOCKET_STREAM_ITEM_INTERVAL, interval)
    }
  }

  #end(outcome: StreamOutcome, error?: unknown): void {
    if (this.#outcome !== undefined) return
    this.#outcome = outcome
    const connection = this.#connection
    connection.streamEnded(this)
    connection.series.streams--
    const { metrics } = connection.services
    if (metrics.recording) {
      const attributes = { ...this.#attributes(), [schema.ATTR_WEBSOCKET_STREAM_OUTCOME]: outcome }
      metrics.streamDuration.record(
        this.#seconds(performance.now()),
        error === undefined ? attributes : { ...attributes, [schema.ATTR_ERROR_TYPE]: errorType(error) },
      )
    }
    if (error !== undefined) this.#process?.fail(error)
    this.#process?.done()
  }

  #seconds(time: number): number {
    return (time - this.#startTime) / 1000
  }

  #attributes() {
    const { series } = this.#connection
    return this.#process === undefined ? series.attributes : series.named(this.#process.message)
  }
}

/** The error of a stream whose connection closed first; its code is the `error.type` of the span. */
class StreamDisconnectedError extends Error {
  readonly code = 'disconnected'

  constructor() {
    super('the connection closed before the stream ended')
    this.name = 'StreamDisconnectedError'
  }
}
