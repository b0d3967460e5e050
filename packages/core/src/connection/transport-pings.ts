import type { Audience } from '../broadcast/fanout-span.ts'
import type { Series } from '../metrics/series.ts'
import type { Services } from '../services/services.ts'

/** The host's own pings over a transport that several connections share. At most one is unanswered. */
export class TransportPings {
  readonly #services: Services
  readonly #series: Series
  #sentAt = 0
  /** Seconds of the last round trip. */
  rtt: number | undefined

  constructor({ services }: { readonly services: Services }, { route, namespace }: Audience) {
    this.#services = services
    this.#series = services.metrics.series(route, namespace, undefined)
  }

  sent(): void {
    this.#sentAt = performance.now()
  }

  answered(): void {
    if (this.#sentAt === 0) return
    this.rtt = (performance.now() - this.#sentAt) / 1000
    this.#sentAt = 0
    const { metrics } = this.#services
    if (metrics.recording) metrics.pingRtt.record(this.rtt, this.#series.attributes)
  }

  /** The host did not get its answer in time. */
  missed(): void {
    this.#sentAt = 0
    this.#series.missedPings++
  }
}
