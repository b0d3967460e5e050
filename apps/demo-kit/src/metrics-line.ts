import type { Colors } from './colors.ts'
import { formatBytes, formatDuration } from './duration.ts'
import { histogramSince, quantile } from './histogram.ts'
import type { MetricSnapshot } from './metric-store.ts'
import { clock } from './text.ts'

const PROCESS_DURATION = 'websocket.server.message.process.duration'
const DIRECTION = 'websocket.message.direction'

/**
 * Writes one line of what the metrics say: connections, rates and latencies since the snapshot before (or since
 * `startTime`, milliseconds), missed pings and slow consumers.
 */
export function formatMetricsLine(
  now: MetricSnapshot,
  before: MetricSnapshot | undefined,
  startTime: number,
  colors: Colors,
): string {
  const seconds = Math.max((now.time - (before?.time ?? startTime)) / 1_000, 0.001)
  const rate = (name: string, direction?: string) => {
    const key = direction === undefined ? undefined : DIRECTION
    return Math.max(now.sum(name, key, direction) - (before?.sum(name, key, direction) ?? 0), 0) / seconds
  }
  const count = (name: string) => now.sum(name)
  const latency = (name: string, share: number) => {
    const total = now.histogram(name)
    const value = total && quantile(histogramSince(total, before?.histogram(name)), share)
    return (value === undefined ? '–' : formatDuration(value * 1_000)).padStart(7)
  }

  const missed = count('websocket.server.ping.missed')
  const slow = count('websocket.server.connection.slow')
  const parts = [
    `${String(count('websocket.server.connection.active')).padStart(2)} open`,
    `in ${rate('websocket.server.messages', 'receive').toFixed(1).padStart(5)}/s`,
    `out ${rate('websocket.server.messages', 'send').toFixed(1).padStart(5)}/s`,
    `${formatBytes(rate('websocket.server.io')).padStart(7)}/s`,
    `process p50 ${latency(PROCESS_DURATION, 0.5)} p95 ${latency(PROCESS_DURATION, 0.95)}`,
    `rtt ${latency('websocket.server.ping.rtt', 0.5)}, ${alert(`${missed} missed`, missed > 0, colors)}`,
    alert(`${slow} slow`, slow > 0, colors),
  ]
  return `${colors.dim(clock(now.time))}  ${colors.yellow('metrics')} ${parts.join(colors.dim(' | '))}`
}

function alert(text: string, raised: boolean, colors: Colors): string {
  return raised ? colors.yellow(text) : text
}
