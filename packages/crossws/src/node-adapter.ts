import type { Hooks } from 'crossws'
import { type TelemetryOf, wrapHooks } from './hooks.ts'
import { discardUnclaimed } from './request.ts'

type Resolve = (request: unknown) => Partial<Hooks> | undefined | Promise<Partial<Hooks> | undefined>

interface AdapterOptions {
  readonly hooks?: Partial<Hooks>
  readonly resolve?: Resolve
  readonly wss?: unknown
}

interface AdapterInstance {
  handleUpgrade(request: object, ...rest: unknown[]): unknown
}

/** The module of crossws that creates servers on Node. */
export interface NodeAdapterModule {
  nodeAdapter(options?: AdapterOptions): AdapterInstance
}

/**
 * Traces every server that crossws creates on Node from now on. One that is given a server of `ws` is left to the tracing of
 * that.
 *
 * @param module exports of crossws that can be replaced
 * @returns a function that restores the original export; servers that exist are asked `telemetryOf` at each handshake
 */
export function traceNodeAdapter(module: NodeAdapterModule, telemetryOf: TelemetryOf): () => void {
  const own = module.nodeAdapter

  function nodeAdapter(options: AdapterOptions = {}): AdapterInstance {
    if (options.wss !== undefined) return own(options)
    const instance = own(traceOptions(options, telemetryOf))
    const { handleUpgrade } = instance
    instance.handleUpgrade = (request, ...rest) => {
      if (telemetryOf() !== undefined) discardUnclaimed(request)
      return handleUpgrade(request, ...rest)
    }
    return instance
  }

  module.nodeAdapter = nodeAdapter
  return () => {
    if (module.nodeAdapter === nodeAdapter) module.nodeAdapter = own
  }
}

/** With option `resolve`, the hooks of each route are traced; without it, those of the server. */
function traceOptions(options: AdapterOptions, telemetryOf: TelemetryOf): AdapterOptions {
  const { hooks, resolve } = options
  if (resolve === undefined) return { ...options, hooks: wrapHooks(hooks ?? {}, telemetryOf) }
  const traced = new WeakMap<Partial<Hooks>, Partial<Hooks>>()
  const trace = (found: Partial<Hooks> | undefined): Partial<Hooks> | undefined => {
    if (typeof found !== 'object' || found === null) return found
    const wrapped = traced.get(found) ?? wrapHooks(found, telemetryOf)
    traced.set(found, wrapped)
    return wrapped
  }
  return {
    ...options,
    resolve(request) {
      const found = resolve(request)
      return found instanceof Promise ? found.then(trace) : trace(found)
    },
  }
}
