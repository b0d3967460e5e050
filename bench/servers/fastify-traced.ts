import otelWs from '@otel-ws/fastify'
import { fastifyEcho } from './fastify-echo.ts'
import { options } from './options.ts'

/** The Fastify echo application with the plugin of otel-ws; the route is the framework's own. */
export function tracedFastifyEcho(): Promise<number> {
  const { route: _, ...others } = options
  return fastifyEcho((app) => app.register(otelWs, others))
}
