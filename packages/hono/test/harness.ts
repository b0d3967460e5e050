import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { createNodeWebSocket } from '@hono/node-ws'
import { connectionOf, connectionSampler, type NodeWebSocket, traceWebSocket } from '@otel-ws/hono'
import { type Connection, type Harness, type Host, type HostOptions, type HostSocket, kindOf } from '@otel-ws/testkit'
import { Hono, type MiddlewareHandler } from 'hono'
import type { UpgradeWebSocket, WSContext, WSEvents } from 'hono/ws'
import { serve as serve2, upgradeWebSocket } from 'hono-node-server-2'
import { type WebSocket, WebSocketServer } from 'ws'

const ROUTE = '/chat/:room'
const ADDRESS = '127.0.0.1'

/** One of the two ways in which Hono serves WebSockets on Node. */
interface Setup {
  create(app: Hono): NodeWebSocket
  /** Listens on a free port. */
  serve(app: Hono, helper: NodeWebSocket): Server
}

const setups = {
  'Hono with @hono/node-ws': {
    create: (app) => createNodeWebSocket({ app }),
    serve(app, helper) {
      const server = serve({ fetch: app.fetch, port: 0, hostname: ADDRESS }) as Server
      ;(helper as ReturnType<typeof createNodeWebSocket>).injectWebSocket(server)
      // Without a listener the reset of a client that is not upgraded yet ends the process.
      server.on('connection', (socket) => socket.on('error', () => {}))
      return server
    },
  },
  'Hono with @hono/node-server 2': {
    create: () => ({ upgradeWebSocket, wss: new WebSocketServer({ noServer: true }) }),
    serve: (app, { wss }) =>
      serve2({ fetch: app.fetch, port: 0, hostname: ADDRESS, websocket: { server: wss as never } }) as Server,
  },
} satisfies Readonly<Record<string, Setup>>

const rawOf = (socket: WSContext): WebSocket => socket.raw as WebSocket

/** The helper logs what handlers throw, by default. */
const QUIET = { onError() {} }

/** The handlers of one connection, as the host's user returns them from the route. */
function eventsOf(connection: HostOptions['connection']): WSEvents {
  const events: WSEvents = {
    onOpen: kindOf(connection, (_event: Event, socket: WSContext) => connection(hostSocket(events, socket)) as void),
  }
  return events
}

function hostSocket(events: WSEvents, socket: WSContext): HostSocket {
  return {
    raw: socket,
    send: (data) => socket.send(data as string),
    close: (code, reason) => socket.close(code, reason),
    terminate: () => rawOf(socket).terminate(),
    onMessage(handler) {
      events.onMessage = kindOf(
        handler,
        ({ data }: MessageEvent) => handler(typeof data === 'string' ? data : Buffer.from(data)) as void,
      )
    },
    onClose(listener) {
      events.onClose = ({ code }) => listener(code)
    },
    ping: (data) => rawOf(socket).ping(data),
    onPong: (listener) => void rawOf(socket).on('pong', (data) => listener(data.toString())),
  }
}

function authorized(authorize: HostOptions['authorize']): MiddlewareHandler {
  return async (c, next) => {
    const { pathname, search } = new URL(c.req.url)
    const status = await authorize?.(pathname + search)
    if (status !== undefined) return c.text('no', status as 401)
    return next()
  }
}

async function start(setup: Setup, options: HostOptions): Promise<Host> {
  const app = new Hono()
  const created = setup.create(app)
  const traced = options.telemetry && traceWebSocket(app, created, options.telemetry)
  const helper = traced ?? created
  if (options.maxMessageSize !== undefined) helper.wss.options.maxPayload = options.maxMessageSize
  app.get(
    ROUTE,
    authorized(options.authorize),
    (helper.upgradeWebSocket as UpgradeWebSocket)(() => eventsOf(options.connection), QUIET),
  )
  app.get('*', (c) => c.text('plain'))
  const server = setup.serve(app, helper)
  if (!server.listening) await once(server, 'listening')
  return {
    url: `ws://${ADDRESS}:${(server.address() as AddressInfo).port}/chat/lobby`,
    connectionOf: (raw) => connectionOf(raw) as Connection | undefined,
    async shutdown() {
      await traced?.shutdown()
    },
    async close() {
      for (const client of helper.wss.clients) client.terminate()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      while (helper.wss.clients.size > 0) await new Promise(setImmediate)
    },
  }
}

export const harnesses: Harness[] = Object.entries(setups).map(([name, setup]) => ({
  name,
  route: ROUTE,
  capabilities: {
    connectionErrors: 'caught',
    ws: false,
    seesAnswers: true,
    peerAddress: true,
    pings: true,
    broadcast: false,
    routeOption: false,
    shutdownAlone: true,
  },
  connectionSampler,
  start: (options) => start(setup, options),
}))
