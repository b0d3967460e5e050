import type { Span } from '@opentelemetry/api'
import * as schema from '../schema.ts'
import { errorType } from '../span/diagnostics.ts'
import type { Connection } from './connection.ts'
import type { Process } from './process.ts'

/** How a stream ended. */
type StreamOutcome = 'completed' | 'failed' | 'cancelled' | 'disconnected'

/**
 * Measures an answer that is sent in pieces: tokens, audio chunks, rows. Times count from the dispatch of the message
 * that is answered, or from the creation of the stream when it answers none.
 */
export class Stream {
  readonly #connection: Connection
  readonly #process: Process | undefined
  readonly #startTime: number
  #items = 0
  #firstAt = 0
  #lastAt = 0
  #outcome: StreamOutcome | undefined

  constructor(connection: Connection, process: Process | undefined) {
    this.#connection = connection
    this.#process = process
    this.#startTime = process !== undefined && process.startTime !== 0 ? process.startTime : performance.now()
    connection.series.streams++
    process?.attach(this)
  }

  /**
   * Tells that `count` items were sent. Default: one, just now.
   *
   * @param at when, in milliseconds on the monotonic clock (`performance.now()`)
   */
  item(count = 1, at = performance.now()): void {
    if (this.#outcome !== undefined || !(count > 0)) return
    this.#lastAt = at
    if (this.#items === 0) {
      this.#firstAt = at
      const { metrics } = this.#connection.telemetry
      if (metrics.recording) metrics.streamFirstItem.record(this.#seconds(at), this.#attributes())
    }
    this.#items += count
  }

  /** Tells that the stream is over, with an error when it failed. Later calls do nothing. */
  end(error?: unknown): void {
    this.#end(error === undefined ? 'completed' : 'failed', error)
  }

  /** Tells that the stream is over because nobody wants it any longer, which is no error. Later calls do nothing. */
  cancel(): void {
    this.#end('cancelled')
  }

  /** The connection closed before the stream ended. */
  disconnect(): void {
    this.#end('disconnected', new StreamDisconnectedError())
  }

  /** Puts the figures on the process span. */
  describe(span: Span): void {
    span.setAttribute(schema.ATTR_WEBSOCKET_STREAM_ITEMS, this.#items)
    if (this.#outcome !== undefined) span.setAttribute(schema.ATTR_WEBSOCKET_STREAM_OUTCOME, this.#outcome)
    if (this.#items === 0) return
    span.setAttribute(schema.ATTR_WEBSOCKET_STREAM_TIME_TO_FIRST_ITEM, this.#seconds(this.#firstAt))
    span.setAttribute(schema.ATTR_WEBSOCKET_STREAM_TIME_TO_LAST_ITEM, this.#seconds(this.#lastAt))
    if (this.#items > 1) {
      const interval = (this.#lastAt - this.#firstAt) / 1000 / (this.#items - 1)
      span.setAttribute(schema.ATTR_WEBSOCKET_STREAM_ITEM_INTERVAL, interval)
    }
  }

  #end(outcome: StreamOutcome, error?: unknown): void {
    if (this.#outcome !== undefined) return
    this.#outcome = outcome
    const connection = this.#connection
    connection.streamEnded(this)
    connection.series.streams--
    const { metrics } = connection.telemetry
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

/** Why a stream ended when its connection closed first: the type is the `error.type` of its span. */
class StreamDisconnectedError extends Error {
  readonly code = 'disconnected'

  constructor() {
    super('the connection closed before the stream ended')
    this.name = 'StreamDisconnectedError'
  }
}
