// An application in which some modules import our ES modules and others require our CommonJS ones.
import { deepEqual, equal, notEqual } from 'node:assert/strict'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import websocket from '@fastify/websocket'
import otelWs from '@otel-ws/fastify'
import * as esm from '@otel-ws/ws'
import Fastify from 'fastify'
import { WebSocketServer } from 'ws'
import { metricSum, spanNames } from '../telemetry.cjs'
import { leave, visit } from '../visit.cjs'

const require = createRequire(import.meta.url)
const cjs = require('@otel-ws/ws')
notEqual(esm.traceWebSocketServer, cjs.traceWebSocketServer)

/** Serves an echo that one copy traces, and then the other as well. */
async function serve(route, first, second) {
  const wss = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  const traced = first.traceWebSocketServer(wss, { route })
  second.traceWebSocketServer(wss, { route })
  const sockets = []
  wss.on('connection', (socket) => {
    sockets.push(socket)
    socket.on('message', (data) => socket.send(data.toString()))
  })
  await once(wss, 'listening')
  return { wss, traced, sockets, port: wss.address().port }
}

const a = await serve('/echo', esm, cjs)
const b = await serve('/echo', cjs, esm)
const clients = [await visit(a.port), await visit(b.port)]
for (const { sockets } of [a, b]) {
  equal(sockets.length, 1)
  equal(esm.connectionOf(sockets[0]).route, '/echo')
  equal(esm.connectionOf(sockets[0]), cjs.connectionOf(sockets[0]))
}
equal(await metricSum('websocket.server.connection.active'), 2)
equal(await metricSum('websocket.server.messages'), 4)

// A broadcast through the copy that does not trace the server is told by the one that does, once.
for (const [index, { sockets }] of [a, b].entries()) {
  const received = once(clients[index], 'message')
  const { broadcast } = [cjs, esm][index]
  equal(broadcast(sockets, 'news', { name: 'news' }), 1)
  await received
}

await leave(clients[0], a.sockets[0])
await leave(clients[1], b.sockets[0])
for (const { wss, traced } of [a, b]) {
  wss.close()
  await traced.shutdown()
}
const each = ['GET /echo', 'close /echo', 'disconnect /echo', 'open /echo', 'process /echo', 'send /echo']
deepEqual(spanNames(), [...each, ...each, 'broadcast news', 'broadcast news'].sort())
equal(await metricSum('websocket.server.connection.active'), 0)

// The Fastify plugin is imported, and the server that it traces is given to the other copy as well.
const fastify = Fastify()
await fastify.register(otelWs)
await fastify.register(websocket)
let serverSocket
fastify.get('/chat', { websocket: true }, (socket) => {
  serverSocket = socket
  socket.on('message', (data) => socket.send(data.toString()))
})
await fastify.listen({ port: 0, host: '127.0.0.1' })
cjs.traceWebSocketServer(fastify.websocketServer, { route: '/other' })
const client = await visit(fastify.server.address().port, '/chat')
equal(cjs.connectionOf(serverSocket).route, '/chat')
await leave(client, serverSocket)
await fastify.close()
const chat = spanNames().filter((name) => name.includes('/chat') || name.includes('/other'))
deepEqual(chat, ['GET /chat', 'close /chat', 'disconnect /chat', 'open /chat', 'process /chat', 'send /chat'])
