import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { traceSocketServer } from '@otel-ws/socket.io'
import { Server } from 'socket.io-oldest'
import { describe, expect, it } from 'vitest'
import { useServers } from './server.ts'

const fixture = useServers()

describe('the oldest Socket.IO that is supported', () => {
  it.each(['websocket', 'polling'])('is traced as the current one is, over %s', async (transport) => {
    const { telemetry } = fixture
    const http = createServer()
    const io = new Server(http)
    traceSocketServer(io as never)
    io.use(async (_socket, next) => {
      await null
      next()
    })
    io.on('connection', (socket) => {
      socket.onAny(() => {})
      socket.use((_event, next) => next())
      socket.on('hello', async (name: string, ack: (answer: string) => void) => {
        socket.emit('reply', name)
        io.emit('all', 1, Buffer.from('abc'))
        ack(await socket.timeout(10_000).emitWithAck('question'))
      })
    })
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    const { port } = http.address() as AddressInfo
    const client = await fixture.join({ url: `http://127.0.0.1:${port}` } as never, '/', { transports: [transport] })
    client.on('question', (ack: (answer: string) => void) => ack('fine'))
    expect(await client.emitWithAck('hello', 'you')).toBe('fine')
    client.disconnect()
    await telemetry.waitForSpan('close /')
    expect(telemetry.names()).toEqual([
      'CONNECT /',
      'GET /socket.io',
      'broadcast all',
      'close /',
      'open /',
      'process hello',
      'send question',
      'send reply',
    ])
    expect(telemetry.span('broadcast all').attributes).toMatchObject({
      'websocket.broadcast.recipients': 1,
      'websocket.message.type': 'binary',
    })
    expect(telemetry.span('process hello').attributes).toMatchObject({
      'websocket.message.size': '20["hello","you"]'.length,
      'websocket.ack.outcome': 'ok',
    })
    expect(telemetry.span('send question').attributes['websocket.ack.outcome']).toBe('ok')
    http.closeAllConnections()
    io.close()
  })
})
