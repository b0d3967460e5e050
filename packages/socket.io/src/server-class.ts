import { type Telemetry, wrapMethod } from '@otel-ws/core/adapter'
import type { EngineServer, Namespace, Server, Socket } from './host.ts'
import { type TracedServer, traceAmbientServer } from './server.ts'

interface NamespaceClass {
  readonly prototype: Namespace
}

/**
 * Traces every Socket.IO server whose namespaces are of a class, also those that exist already; one that is traced by
 * hand keeps its own telemetry. Each server has a namespace before it has anything else, so that its class leads to the
 * class of servers, whatever module system that is loaded by.
 *
 * @param telemetry asked when a server is first seen; `undefined` leaves it alone
 * @returns a function that gives both classes and all servers their own methods back
 */
export function traceServersOf(namespaceClass: NamespaceClass, telemetry: () => Telemetry | undefined): () => void {
  const { prototype } = namespaceClass
  const { _initAdapter, run } = prototype
  const classes = new Map<object, () => void>()
  const servers = new Set<WeakRef<TracedServer>>()
  const seen = new WeakMap<Server, TracedServer>()
  let isActive = true

  function trace(io: Server): boolean {
    const own = isActive && !seen.has(io) ? telemetry() : undefined
    const traced = own && traceAmbientServer(io, own)
    if (traced === undefined) return false
    // The server keeps it, and with it goes.
    seen.set(io, traced)
    servers.add(new WeakRef(traced))
    return true
  }

  function initAdapter(this: Namespace): void {
    traceClassOf(this.server)
    _initAdapter.call(this)
  }

  function tracedRun(this: Namespace, socket: Socket, done: (error?: Error | null) => void): void {
    // A server that was there before us.
    if (trace(this.server)) this.run(socket, done)
    else run.call(this, socket, done)
  }

  function traceClassOf(io: Server): void {
    const host = ownerOf(io, 'bind') as Server | undefined
    if (!isActive || host === undefined || host === io || classes.has(host)) return
    const { bind } = host
    function tracedBind(this: Server, engine: EngineServer): unknown {
      return trace(this) ? this.bind(engine) : bind.call(this, engine)
    }
    classes.set(host, wrapMethod(host, 'bind', tracedBind))
  }

  const undo = [wrapMethod(prototype, '_initAdapter', initAdapter), wrapMethod(prototype, 'run', tracedRun)]
  return () => {
    isActive = false
    for (const server of servers) server.deref()?.restore()
    for (const step of [...undo, ...classes.values()]) step()
  }
}

/** The object in a chain of prototypes that a property belongs to. */
function ownerOf(object: object, name: string): object | undefined {
  for (let at: object | null = object; at !== null; at = Object.getPrototypeOf(at)) {
    if (Object.hasOwn(at, name)) return at
  }
  return undefined
}
