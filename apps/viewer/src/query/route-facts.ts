import { textAttribute } from '../model.ts'
import { ROUTE } from '../names.ts'
import type { MetricStore } from '../store/metrics.ts'
import { BucketSum } from '../store/quantile.ts'

const rtt = 'websocket.server.ping.rtt'
const buffered = 'websocket.server.send.buffered'
/** How far back a metric speaks for a connection that is open now, in milliseconds. */
const recent = 300_000

/** What the metrics of a route say about its open connections. */
export interface RouteFacts {
  /** Median of the recent ping round trips, in seconds; null when none was recorded. */
  readonly rtt: number | null
  /** Bytes waiting to be sent, summed over the connections; null when it is not known. */
  readonly buffered: number | null
}

const unknown: RouteFacts = { rtt: null, buffered: null }

/** Reads the facts of every route at once. Returns a look-up by service and route. */
export function routeFacts(metrics: MetricStore, now: number): (service: string, route: string) => RouteFacts {
  const rtts = new Map<string, BucketSum>()
  const levels = new Map<string, number>()
  for (const series of metrics.all()) {
    if (series.name !== rtt && series.name !== buffered) continue
    const key = keyOf(series.service, textAttribute(series.attributes, ROUTE))
    const last = series.samples.at(-1)
    if (last === undefined || last.to < now - recent) continue
    if (series.name === buffered) levels.set(key, (levels.get(key) ?? 0) + last.value)
    else {
      const sum = rtts.get(key) ?? new BucketSum()
      rtts.set(key, sum)
      for (const { to, counts, max } of series.samples)
        if (to >= now - recent) sum.add(series.bounds, counts ?? [], max)
    }
  }
  return (service, route) => {
    const key = keyOf(service, route)
    const sum = rtts.get(key)
    const level = levels.get(key)
    if (sum === undefined && level === undefined) return unknown
    return { rtt: sum?.quantile(0.5) ?? null, buffered: level ?? null }
  }
}

function keyOf(service: string, route: string): string {
  return `${service}\n${route}`
}
