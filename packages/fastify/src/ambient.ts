import type { Telemetry } from '@otel-ws/core/adapter'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { TracedScope } from './scope.ts'

/** An instance that is traced without a line of its own, until the application registers the plugin by hand. */
export interface AmbientScope {
  /** What the instance is told to from now on; `undefined` stops. No effect once the application has registered. */
  offer(telemetry: Telemetry | undefined): void
  /** The application has registered the plugin: its options count from now on. */
  takeOver(telemetry: Telemetry): void
}

/** Stands on an instance that is traced without a line of its own; registered, so that copies of this package agree. */
const AMBIENT = Symbol.for('otel-ws.fastify.ambient')

/** How the instance that a plugin is registered in is traced already, if it is. */
export function ambientScopeOf(fastify: FastifyInstance): AmbientScope | undefined {
  return (fastify as { [AMBIENT]?: AmbientScope })[AMBIENT]
}

/**
 * Traces an instance for an instrumentation. To be called as soon as the instance is made: routes are seen from then on.
 *
 * @param telemetry asked when the instance loads its plugins
 */
export function traceInstance(fastify: FastifyInstance, telemetry: () => Telemetry | undefined): AmbientScope {
  let scope: TracedScope | undefined
  let isTakenOver = false
  const ambient: AmbientScope = {
    offer(offered) {
      if (!isTakenOver) scope?.use(offered)
    },
    takeOver(own) {
      isTakenOver = true
      scope?.use(own)
    },
  }
  Object.defineProperty(fastify, AMBIENT, { value: ambient })
  fastify.register(
    fp(
      async (instance) => {
        scope = new TracedScope(instance)
        ambient.offer(telemetry())
      },
      { fastify: '5.x', name: '@otel-ws/fastify (ambient)' },
    ),
  )
  return ambient
}
