import { ROOT_CONTEXT } from '@opentelemetry/api'
import { addEvent, endSpan } from '../api/span.ts'
import { unrefInterval } from '../context/deadlines.ts'
import * as schema from '../schema.ts'
import type { Services } from '../services/services.ts'

/** Milliseconds between two reports. */
const INTERVAL = 10_000
/** Connections in one report: ids must not become attributes of metrics, and a span must stay small. */
const MAX_REPORTED = 20

/** An open connection, as a report reads it. */
interface Consumer {
  readonly id: string
  readonly services: unknown
  readonly slowBytes: number
  readonly rtt: number | undefined
  bufferedAmount(): number
}

/**
 * Reports the connections with the most buffered bytes, every 10 s while at least one is above option
 * `slowConsumerBytes`: one span, with an event for each.
 */
export class SlowConsumers {
  readonly #services: Services
  readonly #timer: ReturnType<typeof unrefInterval>

  constructor(services: Services) {
    this.#services = services
    this.#timer = unrefInterval(() => this.report(), INTERVAL)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Records one report now, if any connection is slow. */
  report(): void {
    const { tracer, metrics, options } = this.#services
    if (tracer === undefined) return
    const buffered: { connection: Consumer; bytes: number }[] = []
    let isAnySlow = false
    for (const live of metrics.connections()) {
      const connection = live as unknown as Consumer
      if (connection.services !== this.#services) continue
      const bytes = connection.bufferedAmount()
      if (bytes === 0) continue
      buffered.push({ connection, bytes })
      if (bytes > options.slowConsumerBytes) isAnySlow = true
    }
    if (!isAnySlow) return
    buffered.sort((a, b) => b.bytes - a.bytes)
    const span = this.#services.startSpan(schema.SPAN_SLOW_CONSUMERS, {}, ROOT_CONTEXT)
    if (span === undefined) return
    for (const { connection, bytes } of buffered.slice(0, MAX_REPORTED)) {
      const { id, rtt } = connection
      addEvent(span, schema.EVENT_CONNECTION_BUFFERED, {
        [schema.ATTR_WEBSOCKET_CONNECTION_ID]: id,
        [schema.ATTR_WEBSOCKET_SEND_BUFFERED]: bytes,
        ...(rtt !== undefined && { [schema.ATTR_WEBSOCKET_PING_RTT]: rtt }),
      })
    }
    endSpan(span)
  }
}
