import type { Audience } from '../broadcast/fanout-span.ts'
import type { Series } from '../metrics/set.ts'
import type { Telemetry } from '../telemetry.ts'

/** The host's own pings over a transport that several connections share. One is outstanding at most. */
export class TransportPings {
  readonly #telemetry: Telemetry
  readonly #series: Series
  #sentAt = 0
  /** Seconds of the last round trip. */
  rtt: number | undefined

  constructor(telemetry: Telemetry, { route, namespace }: Audience) {
    this.#telemetry = telemetry
    this.#series = telemetry.metrics.series(route, namespace, undefined)
  }

  sent(): void {
    this.#sentAt = performance.now()
  }

  answered(): void {
    if (this.#sentAt === 0) return
    this.rtt = (performance.now() - this.#sentAt) / 1000
    this.#sentAt = 0
    const { metrics } = this.#telemetry
    if (metrics.recording) metrics.pingRtt.record(this.rtt, this.#series.attributes)
  }

  /** The host gave up waiting. */
  missed(): void {
    this.#sentAt = 0
    this.#series.missedPings++
  }
}
