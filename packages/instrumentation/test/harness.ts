import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WsInstrumentation } from '@otel-ws/instrumentation'
import type { Connection, Harness, Host, HostOptions } from '@otel-ws/testkit'
import { broadcast, connectionOf, connectionSampler } from '@otel-ws/ws'
import { WebSocketServer } from 'ws'

const route = '/chat/:room'
const PATH = '/chat/lobby'
const ADDRESS = '127.0.0.1'

async function start({ telemetry, connection, server }: HostOptions): Promise<Host> {
  const http = createServer((_request, response) => response.end('plain'))
  const wss = new WebSocketServer({ server: http, ...server })
  wss.on('connection', connection)
  const instrumentation = telemetry && new WsInstrumentation({ route, ...telemetry })
  http.listen(0, ADDRESS)
  await once(http, 'listening')
  return {
    url: `ws://${ADDRESS}:${(http.address() as AddressInfo).port}${PATH}`,
    wss,
    http,
    connectionOf: (socket) => connectionOf(socket) as Connection | undefined,
    broadcast,
    async shutdown() {
      await instrumentation?.shutdown()
    },
    async close() {
      for (const socket of wss.clients) socket.terminate()
      wss.close()
      const ended = new Promise((resolve) => http.close(resolve))
      http.closeAllConnections()
      await ended
      // A socket whose listener threw is stuck and never tells its close: it is not waited for.
      for (let turn = 0; turn < 10 && wss.clients.size > 0; turn++) await new Promise(setImmediate)
      instrumentation?.disable()
    },
  }
}

/** An instrumented class of servers, registered after the server was made. */
export const harness: Harness = {
  name: 'ws without code',
  route,
  capabilities: { handlerErrors: 'crash', serverHooks: true, routeOption: true, shutdownAlone: true },
  connectionSampler,
  start,
  module: import.meta.url,
}
