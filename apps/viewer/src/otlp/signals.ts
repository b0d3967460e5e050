import { HttpError } from '../http/error.ts'
import type { Store } from '../store/store.ts'
import { readLogs } from './logs.ts'
import { readMetrics } from './metrics.ts'
import { readSpans } from './spans.ts'

/** What OTLP carries. */
export const signals = ['traces', 'metrics', 'logs'] as const
export type Signal = (typeof signals)[number]

/** What became of an export request. */
export interface Taken {
  /** How many records were left out as invalid, and why the first of them was. */
  readonly rejected: number
  readonly reason: string
}

/** Field of the partial success of an answer in JSON. */
export const rejectedField: Readonly<Record<Signal, string>> = {
  traces: 'rejectedSpans',
  metrics: 'rejectedDataPoints',
  logs: 'rejectedLogRecords',
}

/** Reads a decoded export request and puts its records into the store. Throws an `HttpError` (400) when it is none. */
export function take(store: Store, signal: Signal, message: unknown): Taken {
  try {
    return read(store, signal, message)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw new HttpError(400, `the body is not an OTLP ${signal} request: ${error.message}`)
  }
}

function read(store: Store, signal: Signal, message: unknown): Taken {
  if (signal === 'traces') {
    const spans = readSpans(message)
    store.addSpans(spans.items, spans.rejected)
    return spans
  }
  if (signal === 'logs') {
    const logs = readLogs(message)
    store.addLogs(logs.items, logs.rejected)
    return logs
  }
  const points = readMetrics(message)
  store.addPoints(points.items, points.rejected)
  return points
}
