import type { Context } from '@opentelemetry/api'
import { activeContext } from '../api/context.ts'

/** Calls that have been announced and not sent. */
const MAX_CALLERS = 1000

const callers = /* @__PURE__ */ new Map<string, Context>()

/** Announces a request that a library will send later: its span belongs to the context that is active now. */
export function rememberCaller(id: string | number, name: string): void {
  if (callers.size >= MAX_CALLERS) callers.delete(callers.keys().next().value as string)
  callers.set(keyOf(typeof id === 'number' ? String(id) : `"${id}`, name), activeContext())
}

/** The context of the caller of a request, once. */
export function callerOf(key: string, name: string | undefined): Context | undefined {
  if (callers.size === 0) return undefined
  const own = keyOf(key, name)
  const caller = callers.get(own)
  if (caller !== undefined) callers.delete(own)
  return caller
}

function keyOf(id: string, name: string | undefined): string {
  return `${id} ${name}`
}
