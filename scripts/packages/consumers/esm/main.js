// An ES module application: ws, Fastify and crossws.
import { deepEqual, equal } from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import websocket from '@fastify/websocket'
import { connectionOf as coreConnectionOf } from '@otel-ws/core'
import { connectionOf as crosswsConnectionOf, traceHooks } from '@otel-ws/crossws'
import otelWs, { connectionOf as fastifyConnectionOf } from '@otel-ws/fastify'
import { connectionOf, traceWebSocketServer } from '@otel-ws/ws'
import crossws from 'crossws/adapters/node'
import Fastify from 'fastify'
import { WebSocketServer } from 'ws'
import { spanNames } from '../telemetry.cjs'
import { leave, visit } from '../visit.cjs'

const wss = new WebSocketServer({ port: 0, host: '127.0.0.1' })
const traced = traceWebSocketServer(wss, { route: '/echo' })
let serverSocket
wss.on('connection', (socket) => {
  serverSocket = socket
  socket.on('message', (data) => socket.send(data.toString()))
})
await once(wss, 'listening')
const client = await visit(wss.address().port)
equal(connectionOf(serverSocket).route, '/echo')
equal(coreConnectionOf(serverSocket), connectionOf(serverSocket))
await leave(client, serverSocket)
wss.close()
await traced.shutdown()
deepEqual(spanNames(), ['GET /echo', 'close /echo', 'disconnect /echo', 'open /echo', 'process /echo', 'send /echo'])

const fastify = Fastify()
await fastify.register(otelWs)
await fastify.register(websocket)
fastify.get('/chat/:room', { websocket: true }, (socket, request) => {
  serverSocket = socket
  equal(request.wsConnection, fastifyConnectionOf(socket))
  socket.on('message', (data) => socket.send(data.toString()))
})
await fastify.listen({ port: 0, host: '127.0.0.1' })
await leave(await visit(fastify.server.address().port, '/chat/lobby'), serverSocket)
await fastify.close()
const chat = spanNames().filter((name) => name.endsWith('/chat/:room'))
deepEqual(chat, [
  'GET /chat/:room',
  'close /chat/:room',
  'disconnect /chat/:room',
  'open /chat/:room',
  'process /chat/:room',
  'send /chat/:room',
])

let ended
const hooks = traceHooks(
  {
    open(peer) {
      ended = new Promise((resolve) => {
        peer.context.ended = resolve
      })
      equal(crosswsConnectionOf(peer).route, '/hooks')
    },
    message: async (peer, message) => void peer.send(message.text()),
    close: (peer) => peer.context.ended(),
  },
  { route: '/hooks' },
)
const server = createServer()
const host = crossws({ hooks })
server.on('upgrade', (request, socket, head) => void host.handleUpgrade(request, socket, head))
await once(server.listen(0, '127.0.0.1'), 'listening')
const visitor = await visit(server.address().port, '/hooks')
visitor.close(1000)
await ended
server.close()
await host.close()
await hooks.shutdown()
deepEqual(
  spanNames().filter((name) => name.endsWith('/hooks')),
  ['GET /hooks', 'close /hooks', 'disconnect /hooks', 'open /hooks', 'process /hooks', 'send /hooks'],
)
