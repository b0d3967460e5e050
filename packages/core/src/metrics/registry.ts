import { type MeterProvider, metrics } from '@opentelemetry/api'

/** Instruments of one scope and the numbers behind them. */
export interface BindableSet {
  /** False while nothing would be recorded. */
  readonly recording: boolean
  /** Records to this provider from now on. Counts so far are kept. */
  bind(provider: MeterProvider): void
}

interface Registry {
  /** Sets for providers given in options. */
  readonly explicit: WeakMap<MeterProvider, Map<string, BindableSet>>
  /** Sets that follow the global provider, by scope. */
  readonly global: Map<string, { provider: MeterProvider; set: BindableSet }>
}

/** Copies of this package must share instruments: two observers of one instrument would overwrite each other. */
const REGISTRY_KEY = Symbol.for('otel-ws.metrics.1')

function registry(): Registry {
  const host = globalThis as { [REGISTRY_KEY]?: Registry }
  host[REGISTRY_KEY] ??= { explicit: new WeakMap(), global: new Map() }
  return host[REGISTRY_KEY]
}

/**
 * The set of a scope: one per provider, or one that follows the global provider. Called again for each new connection, so
 * that a provider that is registered late is found; counts made before are carried over. A scope has sets of one kind.
 */
export function sharedSet<S extends BindableSet>(
  scope: { name: string; version: string },
  provider: MeterProvider | undefined,
  create: (scope: { name: string; version: string }) => S,
): S {
  const { explicit, global } = registry()
  if (provider !== undefined) {
    let scopes = explicit.get(provider)
    if (scopes === undefined) {
      scopes = new Map()
      explicit.set(provider, scopes)
    }
    let set = scopes.get(scope.name) as S | undefined
    if (set === undefined) {
      set = create(scope)
      set.bind(provider)
      scopes.set(scope.name, set)
    }
    return set
  }
  const current = metrics.getMeterProvider()
  const known = global.get(scope.name)
  if (known?.provider === current) return known.set as S
  // Only counts made without a provider are carried over: another provider starts from its own zero.
  const set = known !== undefined && !known.set.recording ? (known.set as S) : create(scope)
  set.bind(current)
  global.set(scope.name, { provider: current, set })
  return set
}
