/** Copies of this package must share what bounds a process: its ES module and its CommonJS build are two. */
const REGISTRY_KEY = Symbol.for('otel-ws.shared.1')

/** The one object of a kind that all servers of the process use with this provider: its queue and sampler are shared too. */
export function sharedBy<T>(provider: object, kind: string, create: () => T): T {
  const host = globalThis as { [REGISTRY_KEY]?: WeakMap<object, Map<string, unknown>> }
  host[REGISTRY_KEY] ??= new WeakMap()
  let kinds = host[REGISTRY_KEY].get(provider)
  if (kinds === undefined) {
    kinds = new Map()
    host[REGISTRY_KEY].set(provider, kinds)
  }
  if (!kinds.has(kind)) kinds.set(kind, create())
  return kinds.get(kind) as T
}
