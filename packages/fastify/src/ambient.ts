import type { Telemetry } from '@otel-ws/core/adapter'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { TracedScope } from './scope.ts'

/** Who traces instances without a line of theirs. */
export interface AmbientTracer {
  /** Telemetry for an instance, made when its plugins are loaded; `undefined` leaves it alone. */
  telemetry(): Telemetry | undefined
}

/** An instance that is traced without a line of its own, until the application registers the plugin by hand. */
export class AmbientScope {
  /** The latest last: it is the one that counts. */
  readonly #offers = new Map<AmbientTracer, Telemetry | undefined>()
  #scope: TracedScope | undefined
  #isTakenOver = false

  /** Whoever traces the instance takes part from now on. */
  join(tracer: AmbientTracer): void {
    this.#offers.set(tracer, undefined)
  }

  /** The instance loads its plugins: its routes are seen from now on. */
  load(fastify: FastifyInstance): void {
    this.#scope = new TracedScope(fastify)
    const latest = [...this.#offers.keys()].at(-1)
    if (latest !== undefined) this.offer(latest, latest.telemetry())
  }

  /** What the instance is told to from now on; `undefined` stops. No effect once the application has registered. */
  offer(tracer: AmbientTracer, telemetry: Telemetry | undefined): void {
    this.#offers.set(tracer, telemetry)
    if (this.#isTakenOver) return
    this.#scope?.use([...this.#offers.values()].findLast((offered) => offered !== undefined))
  }

  /** The application has registered the plugin: its options count from now on. */
  takeOver(telemetry: Telemetry): void {
    this.#isTakenOver = true
    this.#scope?.use(telemetry)
  }
}

/** Stands on an instance that is traced without a line of its own; registered, so that copies of this package agree. */
const AMBIENT = Symbol.for('otel-ws.fastify.ambient')

/** How the instance that a plugin is registered in is traced already, if it is. */
export function ambientScopeOf(fastify: FastifyInstance): AmbientScope | undefined {
  return (fastify as { [AMBIENT]?: AmbientScope })[AMBIENT]
}

/** Traces an instance for an instrumentation. To be called as soon as the instance is made. */
export function traceInstance(fastify: FastifyInstance, tracer: AmbientTracer): AmbientScope {
  const known = ambientScopeOf(fastify)
  if (known !== undefined) {
    known.join(tracer)
    return known
  }
  const ambient = new AmbientScope()
  ambient.join(tracer)
  Object.defineProperty(fastify, AMBIENT, { value: ambient })
  const plugin = async (instance: FastifyInstance) => ambient.load(instance)
  fastify.register(fp(plugin, { fastify: '5.x', name: '@otel-ws/fastify (ambient)' }))
  return ambient
}
