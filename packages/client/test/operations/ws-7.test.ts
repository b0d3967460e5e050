import { once } from 'node:events'
import { createRequire } from 'node:module'
import { SpanKind } from '@opentelemetry/api'
import { traceWebSocketServer } from '@otel-ws/ws'
import { expect, it } from 'vitest'
import type { WebSocket, WebSocketServer } from 'ws'
import { traceWebSocket } from '../../src/index.ts'
import { Operations } from './fixture.ts'

const require = createRequire(import.meta.url)
// SignalR's client brings version 7.
const WebSocket7 = createRequire(require.resolve('@microsoft/signalr'))('ws') as typeof WebSocket & {
  Server: typeof WebSocketServer
}

const operations = new Operations()

it('records operations on version 7 of ws too, whose messages are strings', async () => {
  const wss = new WebSocket7.Server({ port: 0, host: '127.0.0.1' })
  operations.wss = wss
  traceWebSocketServer(wss, { route: '/api' })
  await once(wss, 'listening')
  wss.on('connection', (ws) =>
    ws.on('message', (data) => {
      expect(typeof data).toBe('string')
      const { id } = JSON.parse(String(data)) as { id: unknown }
      setTimeout(() => ws.send(JSON.stringify({ jsonrpc: '2.0', id, result: 1 })), 5)
    }),
  )
  const socket = new WebSocket7(`ws://127.0.0.1:${(wss.address() as { port: number }).port}/`)
  traceWebSocket(socket as unknown as globalThis.WebSocket, { route: '/api' })
  await once(socket, 'open')
  for (const id of [1, 2]) {
    socket.send(JSON.stringify({ jsonrpc: '2.0', id, method: 'get' }))
    await once(socket, 'message')
  }
  await operations.telemetry.waitForSpan('process get', 2)
  for (const n of [1, 2]) {
    expect(operations.facts('process get', n)).toMatchObject({ kind: SpanKind.SERVER, outcome: 'ok', name: 'get' })
    expect(operations.facts('send get', n)).toMatchObject({ kind: SpanKind.CLIENT, outcome: 'ok', name: 'get' })
  }
  socket.close()
  await once(socket, 'close')
})
