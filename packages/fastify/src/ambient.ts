import type { Telemetry } from '@otel-ws/core/adapter'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { TracedScope } from './scope.ts'

/** An instrumentation that traces instances without changes to the application's code. */
export interface AmbientTracer {
  /** Returns the telemetry of an instance when its plugins are loaded; `undefined` leaves it untraced. */
  telemetry(): Telemetry | undefined
}

/** The tracing of an instance by instrumentations, until the application registers the plugin itself. */
export class AmbientScope {
  /** In the order of registration: the last tracer with a telemetry is used. */
  readonly #telemetries = new Map<AmbientTracer, Telemetry | undefined>()
  #scope: TracedScope | undefined
  #isReplaced = false

  addTracer(tracer: AmbientTracer): void {
    this.#telemetries.set(tracer, undefined)
  }

  /** Starts to trace the instance. Called when it loads its plugins, before its routes. */
  load(fastify: FastifyInstance): void {
    this.#scope = new TracedScope(fastify)
    const last = [...this.#telemetries.keys()].at(-1)
    if (last !== undefined) this.setTelemetry(last, last.telemetry())
  }

  /** Sets the telemetry of a tracer; `undefined` stops it. Has no effect once the application registered the plugin. */
  setTelemetry(tracer: AmbientTracer, telemetry: Telemetry | undefined): void {
    this.#telemetries.set(tracer, telemetry)
    if (this.#isReplaced) return
    this.#scope?.use([...this.#telemetries.values()].findLast((known) => known !== undefined))
  }

  /** Traces the instance with the telemetry of the plugin that the application registered. */
  replaceBy(telemetry: Telemetry): void {
    this.#isReplaced = true
    this.#scope?.use(telemetry)
  }
}

/** A registered symbol, so that several copies of this package find the same object. */
const AMBIENT = Symbol.for('otel-ws.fastify.ambient')

/** Returns the scope of an instrumentation that traces the instance, if there is one. */
export function ambientScopeOf(fastify: FastifyInstance): AmbientScope | undefined {
  return (fastify as { [AMBIENT]?: AmbientScope })[AMBIENT]
}

/** Traces an instance for an instrumentation. Call it right after the instance was created. */
export function traceInstance(fastify: FastifyInstance, tracer: AmbientTracer): AmbientScope {
  const known = ambientScopeOf(fastify)
  if (known !== undefined) {
    known.addTracer(tracer)
    return known
  }
  const ambient = new AmbientScope()
  ambient.addTracer(tracer)
  Object.defineProperty(fastify, AMBIENT, { value: ambient })
  const plugin = async (instance: FastifyInstance) => ambient.load(instance)
  fastify.register(fp(plugin, { fastify: '5.x', name: '@otel-ws/fastify (ambient)' }))
  return ambient
}
