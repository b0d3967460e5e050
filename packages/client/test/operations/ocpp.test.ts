import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { traceWebSocketServer } from '@otel-ws/ws'
import { createRPCError, RPCClient, RPCServer } from 'ocpp-rpc'
import { expect, it } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { traceWebSocket } from '../../src/index.ts'
import { Operations } from './fixture.ts'

const operations = new Operations()

it('records the calls of ocpp-rpc in both directions, and a heartbeat as a round trip', async () => {
  operations.wss = new WebSocketServer({ noServer: true })
  const server = new RPCServer({ protocols: ['ocpp1.6'], strictMode: false })
  traceWebSocketServer((server as unknown as { _wss: WebSocketServer })._wss, { route: '/ocpp' })
  server.on('client', (station) => {
    station.handle('BootNotification', async () => ({ status: await station.call('GetConfiguration', {}) }))
    station.handle('Heartbeat', () => ({ currentTime: '2026-01-01T00:00:00Z' }))
    station.handle('Authorize', () => {
      throw createRPCError('SecurityError', 'secret')
    })
  })
  const http = createServer()
  http.on('upgrade', server.handleUpgrade)
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const endpoint = `ws://127.0.0.1:${(http.address() as AddressInfo).port}`
  const client = new RPCClient({ endpoint, identity: 'EV1', protocols: ['ocpp1.6'], strictMode: false } as never)
  client.handle('GetConfiguration', async () => ({ value: 'Accepted' }))
  await client.connect()
  traceWebSocket((client as unknown as { _ws: WebSocket })._ws as unknown as globalThis.WebSocket)
  await client.call('BootNotification', {})
  await client.call('Authorize', {}).catch(() => {})
  await client.call('Heartbeat', {})
  await operations.telemetry.waitForSpan('process Authorize')
  const ok = { status: SpanStatusCode.UNSET, outcome: 'ok', type: 'call', error: undefined }
  for (const [served, asked] of [
    ['BootNotification', 'BootNotification'],
    ['GetConfiguration', 'GetConfiguration'],
  ]) {
    expect(operations.facts(`process ${served}`)).toEqual({ ...ok, kind: SpanKind.SERVER, name: served })
    expect(operations.facts(`send ${asked}`)).toEqual({ ...ok, kind: SpanKind.CLIENT, name: asked })
  }
  expect(operations.facts('process Authorize')).toMatchObject({ outcome: 'error', error: 'SecurityError' })
  expect(operations.names().some((name) => name.includes('Heartbeat'))).toBe(false)
  expect(operations.recorded()).not.toContain('secret')
  await client.close({})
  await server.close({})
  await new Promise((resolve) => http.close(resolve))
})
