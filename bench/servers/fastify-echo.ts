import type { AddressInfo } from 'node:net'
import websocket from '@fastify/websocket'
import { type FastifyInstance, fastify } from 'fastify'
import { echo } from './echo.ts'

/** A Fastify application with one echo route; resolves with its port. `prepare` runs before the route is added. */
export async function fastifyEcho(prepare?: (app: FastifyInstance) => PromiseLike<unknown>): Promise<number> {
  const app = fastify()
  await app.register(websocket)
  await prepare?.(app)
  app.get('/echo', { websocket: true }, echo)
  await app.listen({ host: '127.0.0.1', port: 0 })
  return (app.server.address() as AddressInfo).port
}
