import websocket from '@fastify/websocket'
import otelWs from '@otel-ws/fastify'
import { traceSocketServer } from '@otel-ws/socket.io'
import { traceWebSocketServer } from '@otel-ws/ws'
import Fastify from 'fastify'
import { Server } from 'socket.io'
import { WebSocketServer } from 'ws'

const answer = (socket) =>
  socket.on('message', (data) => {
    socket.send(JSON.stringify({ type: 'answer', to: JSON.parse(data).type }))
  })

const app = Fastify()
await app.register(otelWs, { messageName: () => 'by hand' })
await app.register(websocket)
app.get('/chat/:room', { websocket: true }, answer)

const io = new Server(0)
traceSocketServer(io, { sessionId: true })
io.on('connection', (socket) => socket.on('question', (text, done) => done(text)))

const wss = new WebSocketServer({ port: 0, host: '127.0.0.1', path: '/chat' })
traceWebSocketServer(wss, { route: 'by hand' })
wss.on('connection', answer)

await app.listen({ port: 0, host: '127.0.0.1' })
process.stdout.write(`${[app.server, io.httpServer, wss].map((server) => server.address().port).join(' ')}\n`)
