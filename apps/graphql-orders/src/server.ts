import fastifyWebsocket from '@fastify/websocket'
import otelWs from '@otel-ws/fastify'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import { makeHandler } from 'graphql-ws/use/@fastify/websocket'
import { roots, schema } from './schema.ts'

/** Makes the server. OpenTelemetry is set up already when this is called. */
export async function createServer(logger: FastifyServerOptions['logger'] = false): Promise<FastifyInstance> {
  const fastify = Fastify({ logger })
  // No option says that GraphQL is spoken: the subprotocol does.
  await fastify.register(otelWs)
  await fastify.register(fastifyWebsocket, { options: { handleProtocols: () => 'graphql-transport-ws' } })
  fastify.get('/graphql', { websocket: true }, makeHandler({ schema, roots }) as never)
  return fastify
}
