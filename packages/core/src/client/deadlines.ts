import { ROOT_CONTEXT } from '@opentelemetry/api'
import { runInContext } from '../api/context.ts'
import { SpanDeadlines } from '../context/deadlines.ts'

/** Milliseconds after which the wait for an acknowledgement ends. */
const MAX_AGE = 600_000

let expiry: SpanDeadlines | undefined

/** Deadlines of clients. The timer lives as long as the process, so it must not keep the context of its first caller. */
export function clientDeadlines(): SpanDeadlines {
  expiry ??= runInContext(ROOT_CONTEXT, () => new SpanDeadlines(MAX_AGE))
  return expiry
}
