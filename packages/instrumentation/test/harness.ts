import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import websocket, { type WebsocketPluginOptions } from '@fastify/websocket'
import { FastifyWebSocketInstrumentation, WsInstrumentation } from '@otel-ws/instrumentation'
import {
  type Connection,
  closeWsServer,
  type Harness,
  type Host,
  type HostOptions,
  type HostSocket,
  kindOf,
  wsHostSocket,
  wsServerOptions,
} from '@otel-ws/testkit'
import { broadcast, connectionOf, connectionSampler } from '@otel-ws/ws'
import Fastify from 'fastify'
import { type WebSocket, WebSocketServer } from 'ws'

const route = '/chat/:room'
const PATH = '/chat/lobby'
const ADDRESS = '127.0.0.1'

/** Members of the harness that are equal for both hosts. */
const alike = {
  connectionOf: (raw: object) => connectionOf(raw) as Connection | undefined,
  broadcast: (sockets: Iterable<HostSocket>, data: string | Buffer, options?: { readonly name?: string }) =>
    broadcast(
      Array.from(sockets, ({ raw }) => raw as WebSocket),
      data,
      options,
    ),
}

async function startWs(options: HostOptions): Promise<Host> {
  const { telemetry, connection } = options
  const http = createServer((_request, response) => response.end('plain'))
  const wss = new WebSocketServer({ server: http, ...wsServerOptions(options) })
  wss.on(
    'connection',
    kindOf(connection, (socket: WebSocket, request: IncomingMessage) => connection(wsHostSocket(socket), request)),
  )
  const instrumentation = telemetry && new WsInstrumentation({ route, ...telemetry })
  http.listen(0, ADDRESS)
  await once(http, 'listening')
  return {
    url: `ws://${ADDRESS}:${(http.address() as AddressInfo).port}${PATH}`,
    ws: { server: wss, http },
    ...alike,
    async shutdown() {
      await instrumentation?.shutdown()
    },
    async close() {
      await closeWsServer(wss, http)
      instrumentation?.disable()
    },
  }
}

async function startFastify(options: HostOptions): Promise<Host> {
  const { telemetry, connection } = options
  const instrumentation = telemetry && new FastifyWebSocketInstrumentation(telemetry)
  const fastify = Fastify({ forceCloseConnections: true })
  await fastify.register(websocket, {
    options: wsServerOptions(options) as NonNullable<WebsocketPluginOptions['options']>,
  })
  fastify.get(route, { websocket: true }, (socket, request) => {
    return connection(wsHostSocket(socket), request.raw) as void
  })
  await fastify.listen({ port: 0, host: ADDRESS })
  const wss = fastify.websocketServer
  return {
    url: `ws://${ADDRESS}:${(fastify.server.address() as AddressInfo).port}${PATH}`,
    ws: { server: wss, http: fastify.server },
    ...alike,
    async shutdown() {
      await fastify.close()
    },
    async close() {
      for (const socket of wss.clients) socket.terminate()
      await fastify.close()
      instrumentation?.disable()
    },
  }
}

/** An instrumented class of servers; the server exists before the instrumentation. */
export const harness: Harness = {
  name: 'ws without code',
  route,
  capabilities: {
    connectionErrors: 'crash',
    ws: true,
    seesAnswers: true,
    peerAddress: true,
    pings: true,
    broadcast: true,
    routeOption: true,
    shutdownAlone: true,
  },
  connectionSampler,
  start: startWs,
  module: import.meta.url,
}

/** The plugin on every instance. */
const fastifyHarness: Harness = {
  name: 'Fastify without code',
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
  start: startFastify,
}

export const harnesses: readonly Harness[] = [harness, fastifyHarness]
