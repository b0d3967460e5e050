import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { connect, Telemetry } from '@otel-ws/testkit'
import { traceWebSocketServer } from '@otel-ws/ws'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'

const telemetry = new Telemetry()
let wss: WebSocketServer

beforeEach(() => telemetry.install())

afterEach(async () => {
  await new Promise((resolve) => wss.close(resolve))
  await telemetry.uninstall()
})

it('an error that is found when the transport is gone already is why the connection closed', async () => {
  wss = new WebSocketServer({ port: 0, host: '127.0.0.1', maxPayload: 100, perMessageDeflate: { threshold: 0 } })
  traceWebSocketServer(wss, { route: '/r' })
  await once(wss, 'listening')
  const seen: unknown[] = []
  wss.on('connection', (socket: WebSocket) => {
    socket.on('error', (error: NodeJS.ErrnoException) => seen.push(error.code))
    socket.on('close', (code) => seen.push(code))
    // Inflating takes a turn of the event loop at least: that the message is too big is found after the end.
    const { _socket: transport } = socket as unknown as { _socket: Socket }
    transport.once('data', () => transport.destroy())
  })

  const { port } = wss.address() as AddressInfo
  const client = await connect(`ws://127.0.0.1:${port}`, [], { perMessageDeflate: { threshold: 0 } })
  client.send('A'.repeat(1_000))
  expect((await client.closed).code).toBe(1006)

  const { attributes, status } = await telemetry.waitForSpan('close /r')
  expect(seen).toEqual(['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 1006])
  expect(attributes).toMatchObject({
    'websocket.close.code': 1009,
    'websocket.close.category': 'too_big',
    'websocket.close.initiator': 'local',
    'error.type': 'too_big',
  })
  expect(status.code).toBe(2)
})
