// A CommonJS application: ws, Fastify and Hono.
const { deepEqual, equal } = require('node:assert/strict')
const { once } = require('node:events')
const { OptionError } = require('@otel-ws/core')
const otelWs = require('@otel-ws/fastify')
const { connectionOf, traceWebSocketServer } = require('@otel-ws/ws')
const { WebSocketServer } = require('ws')
const { spanNames } = require('../telemetry.cjs')
const { leave, visit } = require('../visit.cjs')

async function main() {
  const wss = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  try {
    traceWebSocketServer(wss, { traces: 'none' })
    throw new Error('a wrong option was taken')
  } catch (error) {
    equal(error instanceof OptionError, true, String(error))
  }
  const traced = traceWebSocketServer(wss, { route: '/echo' })
  let serverSocket
  wss.on('connection', (socket) => {
    serverSocket = socket
    socket.on('message', (data) => socket.send(data.toString()))
  })
  await once(wss, 'listening')
  const client = await visit(wss.address().port)
  equal(connectionOf(serverSocket).route, '/echo')
  await leave(client, serverSocket)
  wss.close()
  await traced.shutdown()
  deepEqual(spanNames(), ['GET /echo', 'close /echo', 'disconnect /echo', 'open /echo', 'process /echo', 'send /echo'])

  // Fastify takes the module itself, its default export, and its named one.
  const forms = { '/module': otelWs, '/default': otelWs.default, '/named': otelWs.otelWs }
  for (const [route, plugin] of Object.entries(forms)) {
    const fastify = require('fastify')()
    await fastify.register(plugin)
    await fastify.register(require('@fastify/websocket'))
    fastify.get(route, { websocket: true }, (socket) => {
      serverSocket = socket
      socket.on('message', (data) => socket.send(data.toString()))
    })
    await fastify.listen({ port: 0, host: '127.0.0.1' })
    await leave(await visit(fastify.server.address().port, route), serverSocket)
    await fastify.close()
    const names = spanNames().filter((name) => name.endsWith(route))
    deepEqual(names, [
      `GET ${route}`,
      `close ${route}`,
      `disconnect ${route}`,
      `open ${route}`,
      `process ${route}`,
      `send ${route}`,
    ])
  }

  const app = new (require('hono').Hono)()
  const helper = require('@hono/node-ws').createNodeWebSocket({ app })
  const hono = require('@otel-ws/hono').traceWebSocket(app, helper)
  app.get(
    '/hono',
    hono.upgradeWebSocket(() => ({
      onOpen(_event, { raw }) {
        serverSocket = raw
      },
      onMessage: async ({ data }, socket) => socket.send(data),
    })),
  )
  const server = require('@hono/node-server').serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' })
  hono.injectWebSocket(server)
  if (!server.listening) await once(server, 'listening')
  await leave(await visit(server.address().port, '/hono'), serverSocket)
  server.close()
  await hono.shutdown()
  const names = spanNames().filter((name) => name.endsWith('/hono'))
  deepEqual(names, ['GET /hono', 'close /hono', 'open /hono', 'process /hono', 'send /hono'])
}

main().catch((error) => {
  process.exitCode = 1
  process.stderr.write(`${error.stack}\n`)
})
