import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { SpanStatusCode } from '@opentelemetry/api'
import { connect, RawClient, Telemetry } from '@otel-ws/testkit'
import { traceWebSocketServer } from '@otel-ws/ws'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'

let telemetry: Telemetry

beforeEach(() => {
  telemetry = new Telemetry()
  telemetry.install()
})

afterEach(() => telemetry.uninstall())

it('fails the handshake whose verifyClient throws, and passes the error on', async () => {
  const failure = new RangeError('no such user')
  const wss = new WebSocketServer({
    noServer: true,
    verifyClient() {
      throw failure
    },
  })
  traceWebSocketServer(wss, { route: '/chat' })
  const http = createServer()
  const thrown: unknown[] = []
  http.on('upgrade', (request, socket, head) => {
    try {
      wss.handleUpgrade(request, socket, head, () => {})
    } catch (error) {
      thrown.push(error)
      socket.destroy()
    }
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const client = new RawClient(`ws://127.0.0.1:${(http.address() as AddressInfo).port}/`)
  await client.closed
  expect(thrown).toEqual([failure])
  const span = await telemetry.waitForSpan('GET /chat')
  expect(span.status.code).toBe(SpanStatusCode.ERROR)
  expect(span.attributes).toMatchObject({ 'websocket.handshake.outcome': 'rejected', 'error.type': 'RangeError' })
  expect(span.attributes).not.toHaveProperty('http.response.status_code')
  expect(telemetry.openSpans()).toEqual([])
  http.close()
})

it('ends handshakes that wait for an answer at the shutdown, and follows those that are accepted then', async () => {
  let accept: (isAccepted: boolean) => void = () => {}
  const wss = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    verifyClient: (_info, answer) => {
      accept = answer
    },
  })
  const traced = traceWebSocketServer(wss, { route: '/chat' })
  await once(wss, 'listening')
  const connecting = connect(`ws://127.0.0.1:${(wss.address() as AddressInfo).port}/`)
  await telemetry.waitUntilStarted('GET /chat')
  await traced.shutdown()
  const handshake = telemetry.span('GET /chat')
  expect(handshake.attributes['websocket.span.ended_by']).toBe('shutdown')
  expect(handshake.attributes).not.toHaveProperty('websocket.handshake.outcome')
  accept(true)
  const client = await connecting
  await client.close(1000)
  const close = await telemetry.waitForSpan('close /chat')
  expect(close.links[0]?.context.spanId).toBe(handshake.spanContext().spanId)
  wss.close()
})

it('is a local close if the application destroys the transport, and one of the network if the peer does', async () => {
  const wss = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  traceWebSocketServer(wss, { route: '/chat' })
  await once(wss, 'listening')
  const url = `ws://127.0.0.1:${(wss.address() as AddressInfo).port}/`
  for (const [n, initiator] of ['local', 'network'].entries()) {
    const connected = once(wss, 'connection') as Promise<[WebSocket]>
    const client = await connect(url)
    const [socket] = await connected
    if (initiator === 'local') (socket as unknown as { _socket: Duplex })._socket.destroy()
    else client.socket.terminate()
    const close = await telemetry.waitForSpan('close /chat', n + 1)
    expect(close.attributes).toMatchObject({
      'websocket.close.code': 1006,
      'websocket.close.category': 'abnormal',
      'websocket.close.initiator': initiator,
    })
  }
  wss.close()
})
