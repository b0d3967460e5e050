const { once } = require('node:events')
const { createServer } = require('node:http')
const { setImmediate } = require('node:timers/promises')
const { trace } = require('@opentelemetry/api')
const { traceHeaders, traceWebSocket } = require('@otel-ws/client')
const { WebSocket: WsClient, WebSocketServer } = require('ws')

// A server that first sends the question to another server of its process, by the client that the question names.
const page = createServer((_request, response) => response.end('page')).listen(0, '127.0.0.1')
const chat = new WebSocketServer({ port: 0, host: '127.0.0.1', path: '/chat' })
const relay = new WebSocketServer({ port: 0, host: '127.0.0.1', path: '/relay' })

const chatUrl = () => `ws://127.0.0.1:${chat.address().port}/chat`

const ways = {
  fetch: async () => (await fetch(`http://127.0.0.1:${page.address().port}`)).text(),
  global: () => converse(new WebSocket(chatUrl())),
  ws: () => converse(new WsClient(chatUrl())),
  'traced ws': () =>
    converse(traceWebSocket(new WsClient(chatUrl(), { headers: traceHeaders(chatUrl()) }), { route: 'asking' })),
}

async function converse(client) {
  const [[server]] = await Promise.all([once(chat, 'connection'), once(client, 'open')])
  client.send('question')
  await new Promise((resolve) => client.addEventListener('message', () => resolve(takeAnswer()), { once: true }))
  client.close(1000)
  await Promise.all([once(server, 'close'), once(client, 'close')])
}

const takeAnswer = () =>
  trace.getTracer('app').startActiveSpan('take answer', async (span) => {
    await setImmediate()
    span.end()
  })

chat.on('connection', (socket) => socket.on('message', () => socket.send('answer')))

relay.on('connection', (socket) => {
  socket.on('message', async (data) => {
    await ways[data]()
    socket.send('answer')
  })
})

relay.on('listening', () => process.stdout.write(`${relay.address().port}\n`))
