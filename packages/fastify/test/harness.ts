import type { AddressInfo } from 'node:net'
import websocket, { type WebsocketPluginOptions } from '@fastify/websocket'
import otelWs, { broadcast, connectionOf, connectionSampler } from '@otel-ws/fastify'
import type { Connection, Harness, Host, HostOptions } from '@otel-ws/testkit'
import Fastify, { type FastifyInstance } from 'fastify'
import type { WebSocketServer } from 'ws'

const route = '/chat/:room'
const ADDRESS = '127.0.0.1'

/** Registers the plugins and the route; returns the `ws` server. */
type Setup = (fastify: FastifyInstance, host: HostOptions) => Promise<WebSocketServer>

const websocketOptions = ({ server }: HostOptions): WebsocketPluginOptions => ({
  options: (server ?? {}) as NonNullable<WebsocketPluginOptions['options']>,
})

async function traceIfAsked(fastify: FastifyInstance, { telemetry }: HostOptions): Promise<void> {
  if (telemetry) await fastify.register(otelWs, telemetry)
}

/** The ways to register; each is a host of its own to the suites. */
const setups = {
  'Fastify, registered before @fastify/websocket': async (fastify, host) => {
    await traceIfAsked(fastify, host)
    await fastify.register(websocket, websocketOptions(host))
    fastify.get(route, { websocket: true }, (socket, request) => host.connection(socket, request.raw) as void)
    return fastify.websocketServer
  },
  'Fastify, registered after @fastify/websocket': async (fastify, host) => {
    await fastify.register(websocket, websocketOptions(host))
    await traceIfAsked(fastify, host)
    fastify.get(route, { websocket: true }, (socket, request) => host.connection(socket, request.raw) as void)
    return fastify.websocketServer
  },
  'Fastify, with a wsHandler in a scope with a prefix': async (fastify, host) => {
    await traceIfAsked(fastify, host)
    let inner = fastify
    await fastify.register(
      async (scope) => {
        inner = scope
        await scope.register(websocket, websocketOptions(host))
        scope.route({
          method: 'GET',
          url: '/:room',
          handler: async () => 'plain',
          wsHandler: (socket, request) => host.connection(socket, request.raw) as void,
        })
      },
      { prefix: '/chat' },
    )
    return inner.websocketServer
  },
} satisfies Record<string, Setup>

async function start(setup: Setup, options: HostOptions): Promise<Host> {
  const fastify = Fastify({ forceCloseConnections: true })
  const wss = await setup(fastify, options)
  await fastify.listen({ port: 0, host: ADDRESS })
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

function harnessOf(name: keyof typeof setups): Harness {
  return {
    name,
    route,
    capabilities: { handlerErrors: 'handled', serverHooks: true, routeOption: false, shutdownAlone: false },
    connectionSampler,
    start: (options) => start(setups[name], options),
  }
}

export const harness: Harness = {
  ...harnessOf('Fastify, registered before @fastify/websocket'),
  module: import.meta.url,
}
export const harnesses: readonly Harness[] = Object.keys(setups).map((name) =>
  name === harness.name ? harness : harnessOf(name as keyof typeof setups),
)
