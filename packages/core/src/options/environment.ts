import { type Spec, splitList } from './spec.ts'
import { SPECS } from './specs.ts'
import { suggestion } from './suggestion.ts'
import type { TelemetryOptions } from './types.ts'

export type Environment = Readonly<Record<string, string | undefined>>

const IGNORE_VARIABLES = { routes: 'OTEL_WS_IGNORE_ROUTES', messages: 'OTEL_WS_IGNORE_MESSAGES' } as const

/** `maxMessageNames` → `OTEL_WS_MAX_MESSAGE_NAMES`. */
export function variableName(option: string): string {
  return `OTEL_WS_${option.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
}

/**
 * Returns a line for each variable `OTEL_WS_*` that sets no option, with the name that may have been meant.
 *
 * @param others names of further variables that are in use
 */
export function unknownVariables(env: Environment, others: readonly string[]): string[] {
  const options = Object.entries<Spec<unknown>>(SPECS).filter(([, { fromText }]) => fromText !== undefined)
  const known = [...options.map(([name]) => variableName(name)), ...Object.values(IGNORE_VARIABLES), ...others]
  return Object.keys(env)
    .filter((name) => name.startsWith('OTEL_WS_') && !known.includes(name))
    .map((name) => `otel-ws: variable ${name} sets nothing: ${suggestion(name, known)}`)
}

/** Option `ignore` from its two variables. */
export function ignoreFromEnvironment(env: Environment): TelemetryOptions['ignore'] {
  const routes = splitList(env[IGNORE_VARIABLES.routes] ?? '')
  const messages = splitList(env[IGNORE_VARIABLES.messages] ?? '')
  return routes.length + messages.length > 0 ? { routes, messages } : undefined
}

/** The variables of this process; none in a browser. */
export function environment(): Environment {
  const host = globalThis as { process?: { env?: Environment } }
  return host.process?.env ?? {}
}
