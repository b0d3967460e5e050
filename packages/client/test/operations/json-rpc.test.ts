import { once } from 'node:events'
import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { JSONRPCClient, JSONRPCErrorException, JSONRPCServer, JSONRPCServerAndClient } from 'json-rpc-2.0'
import { afterEach, expect, it } from 'vitest'
import type { WebSocket } from 'ws'
import { Operations, tracedClient } from './fixture.ts'

const operations = new Operations()
let socket: WebSocket | undefined

afterEach(() => socket?.close())

type Peer = JSONRPCServerAndClient<void, void>

/** An end of json-rpc-2.0 over a socket. */
function peerOver(ws: WebSocket): Peer {
  const send = (message: unknown) => ws.send(JSON.stringify(message))
  const peer: Peer = new JSONRPCServerAndClient(new JSONRPCServer(), new JSONRPCClient(send))
  ws.on('message', (data) => void peer.receiveAndSend(JSON.parse(String(data)), undefined, undefined))
  return peer
}

it('records the calls of json-rpc-2.0 in both directions, notifications as messages', async () => {
  const wss = await operations.serve()
  let toClient: Peer | undefined
  wss.on('connection', (ws) => {
    const peer = peerOver(ws)
    toClient = peer
    peer.addMethod('add', ({ a, b }) => a + b)
    peer.addMethod('fail', () => {
      throw new JSONRPCErrorException('secret', 409)
    })
    peer.addMethod('ask back', () => peer.request('name', undefined, undefined))
    peer.addMethod('log', () => {})
  })
  const Client = tracedClient()
  socket = new Client(operations.url)
  await once(socket, 'open')
  const peer = peerOver(socket)
  peer.addMethod('name', () => 'Ada')
  expect(await peer.request('add', { a: 1, b: 2 }, undefined)).toBe(3)
  expect(await peer.request('ask back', undefined, undefined)).toBe('Ada')
  await expect(peer.request('fail', undefined, undefined)).rejects.toThrow('secret')
  peer.notify('log', undefined, undefined)
  await operations.telemetry.waitForSpan('process log')
  const ok = { status: SpanStatusCode.UNSET, outcome: 'ok', type: 'call', error: undefined }
  for (const name of ['add', 'ask back']) {
    expect(operations.facts(`process ${name}`)).toEqual({ ...ok, kind: SpanKind.SERVER, name })
    expect(operations.facts(`send ${name}`)).toEqual({ ...ok, kind: SpanKind.CLIENT, name })
  }
  expect(operations.facts('send name')).toEqual({ ...ok, kind: SpanKind.CLIENT, name: 'name' })
  expect(operations.facts('process name')).toEqual({ ...ok, kind: SpanKind.SERVER, name: 'name' })
  expect(operations.telemetry.span('send name').parentSpanContext?.spanId).toBe(
    operations.telemetry.span('process ask back').spanContext().spanId,
  )
  const failed = { status: SpanStatusCode.ERROR, outcome: 'error', error: '409' }
  expect(operations.facts('process fail')).toMatchObject(failed)
  expect(operations.facts('send fail')).toMatchObject(failed)
  expect(operations.telemetry.span('process log').kind).toBe(SpanKind.INTERNAL)
  expect(operations.recorded()).not.toMatch(/secret|Ada/)
  expect(toClient).toBeDefined()
  const rows = await operations.telemetry.collect()
  const counted = (name: string) =>
    rows.filter((row) => row.name === name).reduce((sum, { count = 0 }) => sum + count, 0)
  expect(counted('websocket.server.operation.duration')).toBe(4)
  expect(counted('websocket.client.operation.duration')).toBe(4)
  expect(counted('websocket.server.message.process.duration')).toBe(1)
})
