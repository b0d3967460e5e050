import { ROOT_CONTEXT } from '@opentelemetry/api'
import { runInContext } from '../api/context.ts'
import { SpanDeadlines } from '../context/deadlines.ts'
import { OperationDeadlines } from '../operations/operation-deadlines.ts'

/** Milliseconds after which the wait for an acknowledgement ends. */
const MAX_AGE = 600_000

let expiry: SpanDeadlines | undefined

/** Deadlines of clients. The timer lives as long as the process, so it must not keep the context of its first caller. */
export function clientDeadlines(): SpanDeadlines {
  expiry ??= runInContext(ROOT_CONTEXT, () => new SpanDeadlines(MAX_AGE))
  return expiry
}

let operations: OperationDeadlines | undefined

/** Deadlines of clients' operations. */
export function clientOperationDeadlines(): OperationDeadlines {
  operations ??= runInContext(ROOT_CONTEXT, () => new OperationDeadlines(MAX_AGE))
  return operations
}
