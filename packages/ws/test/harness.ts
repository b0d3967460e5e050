import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  type Connection,
  closeWsServer,
  type Harness,
  type Host,
  type HostOptions,
  kindOf,
  wsHostSocket,
  wsServerOptions,
} from '@otel-ws/testkit'
import { broadcast, connectionOf, connectionSampler, traceWebSocketServer } from '@otel-ws/ws'
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws'

const route = '/chat/:room'
const PATH = '/chat/lobby'
const ADDRESS = '127.0.0.1'

interface Listening {
  readonly wss: WebSocketServer
  readonly http: Server
}

/** The ways to run a `ws` server; each is a host of its own to the suites. */
const setups = {
  'ws on an http server': (options: ServerOptions): Listening => {
    const http = createServer((_request, response) => response.end('plain'))
    return { wss: new WebSocketServer({ server: http, ...options }), http }
  },
  'ws on a port of its own': (options: ServerOptions): Listening => {
    const wss = new WebSocketServer({ port: 0, host: ADDRESS, ...options })
    return { wss, http: (wss as unknown as { _server: Server })._server }
  },
  'ws without a server': (options: ServerOptions): Listening => {
    const http = createServer((_request, response) => response.end('plain'))
    const wss = new WebSocketServer({ noServer: true, ...options })
    http.on('upgrade', (request, socket, head) => {
      wss.handleUpgrade(request, socket, head, (webSocket) => wss.emit('connection', webSocket, request))
    })
    return { wss, http }
  },
}

function harnessOf(name: keyof typeof setups): Harness {
  return {
    name,
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
    start: (options) => start(setups[name], options),
  }
}

async function start(setup: (options: ServerOptions) => Listening, options: HostOptions): Promise<Host> {
  const { telemetry, connection } = options
  const { wss, http } = setup(wsServerOptions(options))
  const traced = telemetry && traceWebSocketServer(wss, { route, ...telemetry })
  wss.on(
    'connection',
    kindOf(connection, (socket: WebSocket, request: IncomingMessage) => connection(wsHostSocket(socket), request)),
  )
  if (!http.listening) http.listen(0, ADDRESS)
  if (!http.listening) await once(http, 'listening')
  return {
    url: `ws://${ADDRESS}:${(http.address() as AddressInfo).port}${PATH}`,
    ws: { server: wss, http },
    connectionOf: (raw) => connectionOf(raw) as Connection | undefined,
    broadcast: (sockets, data, options) => broadcast(Array.from(sockets, rawSocket), data, options),
    async shutdown() {
      await traced?.shutdown()
    },
    close: () => closeWsServer(wss, http),
  }
}

const rawSocket = ({ raw }: { raw: object }): WebSocket => raw as WebSocket

export const harness: Harness = { ...harnessOf('ws on an http server'), module: import.meta.url }
export const harnesses: readonly Harness[] = Object.keys(setups).map((name) =>
  name === harness.name ? harness : harnessOf(name as keyof typeof setups),
)
