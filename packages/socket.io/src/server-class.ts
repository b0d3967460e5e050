import type { Telemetry } from '@otel-ws/core/adapter'
import { wrapMethod } from '@otel-ws/core/node'
import type { Namespace, Server } from './host.ts'
import { type TracedServer, traceAmbientServer } from './server.ts'

interface NamespaceClass {
  readonly prototype: Namespace
}

/**
 * Traces every Socket.IO server whose namespaces are of a class, including servers that exist already. A server that the
 * application traces itself keeps its own telemetry. A server creates a namespace before anything else, so the class of
 * servers is found from the class of namespaces, in every module system.
 *
 * @param telemetry called for each new server; `undefined` leaves the server untraced
 * @returns a function that restores the original methods of both classes and of all servers
 */
export function traceServersOf(namespaceClass: NamespaceClass, telemetry: () => Telemetry | undefined): () => void {
  const { prototype } = namespaceClass
  const { _initAdapter, run } = prototype
  const restoreByClass = new Map<object, () => void>()
  const servers = new Set<WeakRef<TracedServer>>()
  /** Keeps the handle of a server alive as long as the server. */
  const handles = new WeakMap<Server, TracedServer>()
  let isActive = true

  function trace(io: Server): boolean {
    const ownTelemetry = isActive && !handles.has(io) ? telemetry() : undefined
    const traced = ownTelemetry && traceAmbientServer(io, ownTelemetry)
    if (traced === undefined) return false
    handles.set(io, traced)
    servers.add(new WeakRef(traced))
    return true
  }

  function tracedInitAdapter(this: Namespace): unknown {
    traceClassOf(this.server)
    return _initAdapter.apply(this, arguments as never)
  }

  function tracedRun(this: Namespace): unknown {
    const args = arguments as unknown as Parameters<Namespace['run']>
    // True for a server that existed before its class was traced.
    return trace(this.server) ? this.run(...args) : run.apply(this, args)
  }

  function traceClassOf(io: Server): void {
    const serverPrototype = ownerOf(io, 'bind') as Server | undefined
    if (!isActive || serverPrototype === undefined || serverPrototype === io || restoreByClass.has(serverPrototype)) {
      return
    }
    const { bind } = serverPrototype
    function tracedBind(this: Server): unknown {
      const args = arguments as unknown as Parameters<Server['bind']>
      return trace(this) ? this.bind(...args) : bind.apply(this, args)
    }
    restoreByClass.set(serverPrototype, wrapMethod(serverPrototype, 'bind', tracedBind))
  }

  const restore = [wrapMethod(prototype, '_initAdapter', tracedInitAdapter), wrapMethod(prototype, 'run', tracedRun)]
  return () => {
    isActive = false
    for (const server of servers) server.deref()?.restore()
    for (const step of [...restore, ...restoreByClass.values()]) step()
  }
}

/** Returns the object in the prototype chain that has the property. */
function ownerOf(object: object, name: string): object | undefined {
  for (let at: object | null = object; at !== null; at = Object.getPrototypeOf(at)) {
    if (Object.hasOwn(at, name)) return at
  }
  return undefined
}
