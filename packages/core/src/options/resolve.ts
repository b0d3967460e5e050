import type { CloseCategory } from '../close/close.ts'
import { normalAuthority } from './authority.ts'
import { type Environment, environment, ignoreFromEnvironment, variableName } from './environment.ts'
import { OptionError } from './option-error.ts'
import { parseSelector, type Selector } from './selector.ts'
import type { Spec } from './spec.ts'
import { DEFAULT_CARRIER_NAME, SPECS } from './specs.ts'
import { suggestion } from './suggestion.ts'
import type { KeepOptions, TelemetryOptions } from './types.ts'

type Validated = {
  readonly [K in keyof typeof SPECS]: (typeof SPECS)[K] extends Spec<infer T> ? T : never
}

/** Options after validation, with every default in place. Frozen. */
export interface ResolvedOptions
  extends Omit<Validated, 'messageName' | 'aggregate' | 'carrierName' | 'closeErrors' | 'closeCodes'> {
  /** `undefined` if it is empty: each message looks. */
  readonly aggregate: ReadonlySet<string> | undefined
  readonly messageName: Selector | Exclude<TelemetryOptions['messageName'], string>
  readonly carrierName: string
  readonly closeErrors: ReadonlySet<CloseCategory>
  readonly closeCodes: ReadonlySet<number>
}

/**
 * Validates options, fills in `OTEL_WS_*` variables and defaults, and freezes the result. An option set in code wins
 * over its variable.
 *
 * @throws OptionError that names the option or the variable, the item, and a correct value
 */
export function resolveOptions(options: TelemetryOptions = {}, env: Environment = environment()): ResolvedOptions {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new OptionError('object', 'must be an object: pass { … } or nothing')
  }
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(SPECS, name))
      throw new OptionError(name, `does not exist: ${suggestion(name, Object.keys(SPECS))}`)
  }
  const values: Record<string, unknown> = {}
  for (const [name, spec] of Object.entries<Spec<unknown>>(SPECS)) {
    values[name] = resolveOption(name, spec, (options as Record<string, unknown>)[name], env)
  }
  const validated = values as unknown as Validated
  checkCombinations(validated)
  const { messageName } = validated
  return Object.freeze({
    ...validated,
    aggregate: validated.aggregate.length === 0 ? undefined : new Set(validated.aggregate),
    keep: copyKeep(validated.keep),
    ignore: copyIgnore(validated.ignore) ?? ignoreFromEnvironment(env),
    carrierName: validated.carrierName ?? DEFAULT_CARRIER_NAME,
    messageName: typeof messageName === 'string' ? parseSelector(messageName) : messageName,
    authorities: validated.authorities.map(normalAuthority),
    closeErrors: new Set(validated.closeErrors),
    closeCodes: new Set(validated.closeCodes),
  })
}

/** The value of one option: from code, else from its variable, else its default. */
function resolveOption(name: string, spec: Spec<unknown>, given: unknown, env: Environment): unknown {
  const variable = variableName(name)
  const text = env[variable]
  const isFromVariable = given === undefined && spec.fromText !== undefined && text !== undefined && text !== ''
  const value = isFromVariable ? spec.fromText?.(text) : given
  if (value === undefined) return spec.fallback
  const problem = spec.check(value)
  if (problem !== undefined) {
    throw new OptionError(isFromVariable ? `${name} (from ${variable})` : name, problem)
  }
  return Array.isArray(value) ? [...value] : value
}

function copyKeep(keep: KeepOptions | undefined): KeepOptions | undefined {
  if (keep === undefined) return undefined
  const { slowerThan } = keep
  return Object.freeze({ ...keep, ...(typeof slowerThan === 'object' && { slowerThan: { ...slowerThan } }) })
}

function checkCombinations(options: Validated): void {
  if (options.heartbeatTerminate && options.heartbeatInterval === undefined) {
    throw new OptionError(
      'heartbeatTerminate',
      'needs heartbeatInterval: without its pings no connection is found dead',
    )
  }
  if (options.keepTracerProvider !== undefined && options.keep === undefined) {
    throw new OptionError('keepTracerProvider', 'needs keep, which says what it records')
  }
  if (options.metricAttributes.length > 0 && options.connectionAttributes === undefined) {
    throw new OptionError('metricAttributes', 'needs connectionAttributes, which names their values')
  }
  if (options.carrierName !== undefined && options.propagation !== 'always') {
    throw new OptionError('carrierName', "needs propagation: 'always': peers that negotiate know one name only")
  }
}

function copyIgnore(ignore: TelemetryOptions['ignore']): TelemetryOptions['ignore'] {
  if (typeof ignore !== 'object') return ignore
  return Object.freeze({ routes: [...(ignore.routes ?? [])], messages: [...(ignore.messages ?? [])] })
}
