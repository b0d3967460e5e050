import type { AddressInfo } from 'node:net'
import websocket, { type WebsocketPluginOptions } from '@fastify/websocket'
import otelWs, { broadcast, connectionOf, connectionSampler } from '@otel-ws/fastify'
import type { Connection, Harness, Host, HostOptions } from '@otel-ws/testkit'
import Fastify from 'fastify'

const route = '/chat/:room'
const ADDRESS = '127.0.0.1'

async function start({ telemetry, connection, server }: HostOptions): Promise<Host> {
  const fastify = Fastify({ forceCloseConnections: true })
  if (telemetry) await fastify.register(otelWs, telemetry)
  await fastify.register(websocket, { options: (server ?? {}) as NonNullable<WebsocketPluginOptions['options']> })
  fastify.get(route, { websocket: true }, (socket, request) => connection(socket, request.raw) as void)
  await fastify.listen({ port: 0, host: ADDRESS })
  const wss = fastify.websocketServer
  return {
    url: `ws://${ADDRESS}:${(fastify.server.address() as AddressInfo).port}/chat/lobby`,
    wss,
    http: fastify.server,
    connectionOf: (socket) => connectionOf(socket) as Connection | undefined,
    broadcast,
    async shutdown() {
      await fastify.close()
    },
    async close() {
      for (const socket of wss.clients) socket.terminate()
      await fastify.close()
    },
  }
}

export const harness: Harness = {
  name: '@fastify/websocket',
  module: import.meta.url,
  route,
  capabilities: { handlerErrors: 'handled', serverHooks: true, routeOption: false, shutdownAlone: false },
  connectionSampler,
  start,
}
