import { type ConnectionContext, connectionOf, type TelemetryOptions } from '@otel-ws/core'
import { createTelemetry } from '@otel-ws/core/adapter'
import { driver } from '@otel-ws/ws/adapter'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { ambientScopeOf } from './ambient.ts'
import { TracedScope } from './scope.ts'
import { SCOPE } from './version.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Context of this request's WebSocket connection; `undefined` for other requests, and before the upgrade. */
    readonly wsConnection: ConnectionContext | undefined
  }
}

const plugin: FastifyPluginAsync<TelemetryOptions> = async (fastify, options) => {
  const telemetry = createTelemetry(options, SCOPE, driver)
  fastify.decorateRequest('wsConnection', {
    getter(this: FastifyRequest) {
      return connectionOf(this.raw)
    },
  })
  const ambient = ambientScopeOf(fastify)
  if (ambient !== undefined) ambient.replaceBy(telemetry)
  else if (telemetry.options.enabled) new TracedScope(fastify).use(telemetry)
}

/**
 * Fastify plugin that traces and measures the WebSocket routes of `@fastify/websocket`. Register it before or after that
 * plugin.
 *
 * ```ts
 * await fastify.register(otelWs)
 * ```
 *
 * @throws OptionError for wrong options, when Fastify loads the plugin
 */
export const otelWs = fp(plugin, { fastify: '5.x', name: '@otel-ws/fastify' })

export default otelWs
