import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { traceWebSocketServer } from '@otel-ws/ws'
import { createRPCError, RPCClient, RPCServer } from 'ocpp-rpc'
import { expect, it } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { traceWebSocket } from '../../src/index.ts'
import { Operations } from './fixture.ts'

const operations = new Operations()

/** Ids are random: each is replaced by the number of its first use. */
function numbered(): (text: unknown) => string {
  const known = new Map<string, number>()
  return (text) =>
    String(text).replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, (id) => {
      if (!known.has(id)) known.set(id, known.size)
      return `id ${known.get(id)}`
    })
}

/** What both ends of a fixed sequence of calls get, and what is on the wire. */
async function transcript(isTraced: boolean): Promise<Record<string, unknown[]>> {
  const log: Record<string, unknown[]> = { station: [], server: [], received: [], sent: [] }
  const withoutIds = numbered()
  const server = new RPCServer({ protocols: ['ocpp1.6'], strictMode: false })
  const { _wss: wss } = server as unknown as { readonly _wss: WebSocketServer }
  if (isTraced) traceWebSocketServer(wss, { route: '/ocpp' })
  wss.on('connection', (socket) => {
    socket.on('message', (data, binary) => log['received']?.push([binary, withoutIds(data)]))
    socket.on('close', (code, reason) => log['server']?.push(['close', code, String(reason)]))
  })
  server.on('client', (station) => {
    station.handle('BootNotification', async ({ params }: { params?: unknown }) => {
      log['server']?.push(['boot', params, await station.call('GetConfiguration', { key: ['a'] })])
      return { status: 'Accepted' }
    })
    station.handle('Heartbeat', () => ({ currentTime: '2026-01-01T00:00:00Z' }))
    station.handle('Authorize', () => {
      throw createRPCError('SecurityError', 'denied', { why: 'expired' })
    })
    station.handle('Slow', () => new Promise(() => {}))
  })
  const http = createServer()
  http.on('upgrade', server.handleUpgrade)
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const endpoint = `ws://127.0.0.1:${(http.address() as AddressInfo).port}`
  const client = new RPCClient({ endpoint, identity: 'EV1', protocols: ['ocpp1.6'], strictMode: false } as never)
  client.handle('GetConfiguration', async ({ params }: { params?: unknown }) => ({ value: params }))
  await client.connect()
  const { _ws: socket } = client as unknown as { readonly _ws: WebSocket }
  if (isTraced) traceWebSocket(socket as unknown as globalThis.WebSocket)
  socket.on('message', (data, binary) => log['sent']?.push([binary, withoutIds(data)]))
  const call = async (method: string, params: object, options = {}): Promise<void> => {
    try {
      log['station']?.push([method, await client.call(method, params, options as never)])
    } catch (error) {
      const { name, message, rpcErrorCode, details } = error as Error & Record<string, unknown>
      log['station']?.push([method, name, withoutIds(message), rpcErrorCode, details])
    }
  }
  await call('BootNotification', { model: 'ä', n: 1 })
  await call('Authorize', {})
  await call('Heartbeat', {})
  await call('Unknown', { a: [1, { b: 2 }] })
  await call('Slow', {}, { callTimeoutMs: 20 })
  await Promise.all([call('Heartbeat', {}), call('Authorize', {})])
  log['station']?.push(await client.close({ code: 4001, reason: 'bye' }))
  await server.close({})
  await new Promise((resolve) => http.close(resolve))
  return log
}

it('ocpp-rpc behaves as without otel-ws, and writes the same', async () => {
  operations.wss = new WebSocketServer({ noServer: true })
  const plain = await transcript(false)
  expect(operations.names()).toEqual([])
  const traced = await transcript(true)
  expect(traced).toEqual(plain)
  expect(plain['received']?.length).toBeGreaterThan(6)
  expect(plain['station']?.length).toBeGreaterThan(6)
  await operations.telemetry.waitForSpan('process Authorize')
})
