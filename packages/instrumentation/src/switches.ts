/** Variable with which `@opentelemetry/auto-instrumentations-node` switches instrumentations off, by a list of names. */
export const DISABLED_VARIABLE = 'OTEL_NODE_DISABLED_INSTRUMENTATIONS'

const NAMES = ['otel-ws', '@otel-ws/instrumentation']

/**
 * Returns true if the list of disabled instrumentations names otel-ws. The list of enabled ones is not read: users
 * write it for the package that has many of them, and ask for otel-ws by its own flag.
 */
export function isSwitchedOff(environment: Readonly<Record<string, string | undefined>>): boolean {
  return (environment[DISABLED_VARIABLE] ?? '').split(',').some((name) => NAMES.includes(name.trim()))
}
