import type { Span } from '@opentelemetry/api'
import type { Connection } from './connection.ts'
import { errorType } from './diagnostics.ts'
import type { Process } from './process.ts'
import * as schema from './schema.ts'

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
  #ended = false

  constructor(connection: Connection, process: Process | undefined) {
    this.#connection = connection
    this.#process = process
    this.#startTime = process !== undefined && process.startTime !== 0 ? process.startTime : performance.now()
    process?.attach(this)
  }

  /** Tells that `count` items were sent just now. Default 1. */
  item(count = 1): void {
    if (this.#ended || !(count > 0)) return
    this.#lastAt = performance.now()
    if (this.#items === 0) {
      this.#firstAt = this.#lastAt
      const { metrics } = this.#connection.telemetry
      if (metrics.recording) metrics.streamFirstItem.record(this.#seconds(this.#firstAt), this.#attributes())
    }
    this.#items += count
  }

  /** Tells that the stream is over, with an error when it failed. Later calls do nothing. */
  end(error?: unknown): void {
    if (this.#ended) return
    this.#ended = true
    this.#connection.streamEnded(this)
    const { metrics } = this.#connection.telemetry
    const attributes = this.#attributes()
    if (metrics.recording) {
      metrics.streamDuration.record(
        this.#seconds(performance.now()),
        error === undefined ? attributes : { ...attributes, [schema.ATTR_ERROR_TYPE]: errorType(error) },
      )
    }
    if (error !== undefined) this.#process?.fail(error)
    this.#process?.done()
  }

  /** The connection closed before the stream ended. */
  disconnect(): void {
    this.end(new StreamDisconnectedError())
  }

  /** Puts the figures on the process span. */
  describe(span: Span): void {
    span.setAttribute(schema.ATTR_WEBSOCKET_STREAM_ITEMS, this.#items)
    if (this.#items === 0) return
    span.setAttribute(schema.ATTR_WEBSOCKET_STREAM_TIME_TO_FIRST_ITEM, this.#seconds(this.#firstAt))
    span.setAttribute(schema.ATTR_WEBSOCKET_STREAM_TIME_TO_LAST_ITEM, this.#seconds(this.#lastAt))
    if (this.#items > 1) {
      const interval = (this.#lastAt - this.#firstAt) / 1000 / (this.#items - 1)
      span.setAttribute(schema.ATTR_WEBSOCKET_STREAM_ITEM_INTERVAL, interval)
    }
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
