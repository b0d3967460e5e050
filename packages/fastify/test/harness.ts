import type { AddressInfo } from 'node:net'
import websocket, { type WebsocketHandler, type WebsocketPluginOptions } from '@fastify/websocket'
import otelWs, { broadcast, connectionOf, connectionSampler } from '@otel-ws/fastify'
import {
  type Connection,
  type Harness,
  type Host,
  type HostOptions,
  wsHostSocket,
  wsServerOptions,
} from '@otel-ws/testkit'
import Fastify, { type FastifyInstance } from 'fastify'
import type { WebSocket, WebSocketServer } from 'ws'

const route = '/chat/:room'
const ADDRESS = '127.0.0.1'

/** Registers the plugins and the route; returns the `ws` server. */
type Setup = (fastify: FastifyInstance, host: HostOptions) => Promise<WebSocketServer>

const websocketOptions = (host: HostOptions): WebsocketPluginOptions => ({
  options: wsServerOptions(host) as NonNullable<WebsocketPluginOptions['options']>,
})

/** The route's handler: the plugin receives what it returns. */
const handlerOf =
  ({ connection }: HostOptions): WebsocketHandler =>
  (socket, request) =>
    connection(wsHostSocket(socket), request.raw) as void

async function traceIfAsked(fastify: FastifyInstance, { telemetry }: HostOptions): Promise<void> {
  if (telemetry) await fastify.register(otelWs, telemetry)
}

/** The orders of registration; each is a separate set-up of the suites. */
const setups = {
  'Fastify, registered before @fastify/websocket': async (fastify, host) => {
    await traceIfAsked(fastify, host)
    await fastify.register(websocket, websocketOptions(host))
    fastify.get(route, { websocket: true }, handlerOf(host))
    return fastify.websocketServer
  },
  'Fastify, registered after @fastify/websocket': async (fastify, host) => {
    await fastify.register(websocket, websocketOptions(host))
    await traceIfAsked(fastify, host)
    fastify.get(route, { websocket: true }, handlerOf(host))
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
          wsHandler: handlerOf(host),
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
    ws: { server: wss, http: fastify.server },
    connectionOf: (raw) => connectionOf(raw) as Connection | undefined,
    broadcast: (sockets, data, options) =>
      broadcast(
        Array.from(sockets, ({ raw }) => raw as WebSocket),
        data,
        options,
      ),
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
    capabilities: {
      connectionErrors: 'handled',
      ws: true,
      seesAnswers: true,
      peerAddress: true,
      pings: true,
      broadcast: true,
      routeOption: false,
      shutdownAlone: false,
    },
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
