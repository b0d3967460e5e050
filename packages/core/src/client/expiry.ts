import { context, ROOT_CONTEXT } from '@opentelemetry/api'
import { Expiry } from '../expiry.ts'

/** Milliseconds after which the wait for an acknowledgement ends. */
const MAX_AGE = 600_000

let expiry: Expiry | undefined

/** Holds what clients wait for. Its timer lives as long as the process, and must not keep the context of whoever comes first. */
export function clientExpiry(): Expiry {
  expiry ??= context.with(ROOT_CONTEXT, () => new Expiry(MAX_AGE))
  return expiry
}
