// A TypeScript application: ws and Fastify, and every type that our doors export.
import { deepEqual, equal } from 'node:assert/strict'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import websocket from '@fastify/websocket'
import type { CloseInfo, IgnoreSubject, MessageInfo, UpgradeRequest } from '@otel-ws/core'
import otelWs from '@otel-ws/fastify'
import { type ConnectionContext, connectionOf, type TelemetryOptions, traceWebSocketServer } from '@otel-ws/ws'
import Fastify from 'fastify'
import { type WebSocket, WebSocketServer } from 'ws'

const load = createRequire(`${process.cwd()}/main.js`)
const { spanNames } = load('../telemetry.cjs') as { spanNames(): string[] }
const { leave, visit } = load('../visit.cjs') as {
  visit(port: number, path?: string): Promise<WebSocket>
  leave(client: WebSocket, serverSocket: WebSocket): Promise<void>
}

const closes: number[] = []
const options: TelemetryOptions = {
  route: (request: UpgradeRequest) => request.url,
  ignore: (subject: IgnoreSubject) => subject.route === '/health',
  onMessage: (_span, message: MessageInfo) => void message.direction,
  onClose: (_span, close: CloseInfo) => void closes.push(close.code),
}

async function main(): Promise<void> {
  const wss = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  const traced = traceWebSocketServer(wss, options)
  const sockets: WebSocket[] = []
  wss.on('connection', (socket) => {
    sockets.push(socket)
    socket.on('message', (data) => socket.send(data.toString()))
  })
  await once(wss, 'listening')
  const client = await visit((wss.address() as AddressInfo).port, '/echo')
  const connection: ConnectionContext | undefined = connectionOf(sockets[0]!)
  equal(connection?.route, '/echo')
  await leave(client, sockets[0]!)
  wss.close()
  await traced.shutdown()
  deepEqual(closes, [1000])
  deepEqual(spanNames(), ['GET /echo', 'close /echo', 'disconnect /echo', 'open /echo', 'process /echo', 'send /echo'])

  const fastify = Fastify()
  await fastify.register(otelWs, { maxMessageNames: 10 })
  // @ts-expect-error no such option
  const wrong = () => fastify.register(otelWs, { maxMessageName: 10 })
  equal(typeof wrong, 'function')
  await fastify.register(websocket)
  fastify.get('/chat', { websocket: true }, (socket, request) => {
    const known: ConnectionContext | undefined = request.wsConnection
    equal(known?.route, '/chat')
    sockets.unshift(socket)
    socket.on('message', (data) => socket.send(data.toString()))
  })
  await fastify.listen({ port: 0, host: '127.0.0.1' })
  await leave(await visit((fastify.server.address() as AddressInfo).port, '/chat'), sockets[0]!)
  await fastify.close()
  const chat = spanNames().filter((name) => name.endsWith('/chat'))
  deepEqual(chat, ['GET /chat', 'close /chat', 'disconnect /chat', 'open /chat', 'process /chat', 'send /chat'])
}

main().catch((error: unknown) => {
  process.exitCode = 1
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
})
