import { once } from 'node:events'
import { SpanStatusCode, trace } from '@opentelemetry/api'
import { connect, Telemetry } from '@otel-ws/testkit'
import { connectionOf, traceWebSocketServer } from '@otel-ws/ws'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'

let telemetry: Telemetry
let wss: WebSocketServer

beforeEach(async () => {
  telemetry = new Telemetry()
  telemetry.install()
  wss = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(wss, 'listening')
})

afterEach(async () => {
  for (const client of wss.clients) client.terminate()
  await new Promise((resolve) => wss.close(resolve))
  await telemetry.uninstall()
})

function open(onConnection: (socket: WebSocket) => unknown) {
  traceWebSocketServer(wss, { route: '/feed' })
  wss.on('connection', onConnection)
  return connect(`ws://127.0.0.1:${(wss.address() as { port: number }).port}/feed`)
}

it('runs the listeners of close under a span that is linked to the handshake and lasts until they settle', async () => {
  const seen: unknown[] = []
  const client = await open((socket) => {
    socket.on('close', async function (this: WebSocket, code, reason) {
      seen.push(this === socket, code, String(reason), trace.getActiveSpan()?.spanContext().spanId)
      await null
      trace.getTracer('app').startSpan('presence.remove').end()
    })
  })
  client.socket.close(4001, 'bye')
  const span = await telemetry.waitForSpan('disconnect /feed')
  expect(seen).toEqual([true, 4001, 'bye', span.spanContext().spanId])
  expect(span.links.map(({ context }) => context.spanId)).toEqual([telemetry.span('GET /feed').spanContext().spanId])
  expect(telemetry.span('presence.remove').parentSpanContext?.spanId).toBe(span.spanContext().spanId)
  expect(telemetry.span('close /feed').attributes['websocket.close.code']).toBe(4001)
})

it('makes no such span where only ws listens', async () => {
  const client = await open(() => {})
  client.socket.close(1000)
  await telemetry.waitForSpan('close /feed')
  expect(telemetry.spans('disconnect /feed')).toEqual([])
})

it('records the connection handler, its failure in a metric and the attributes that it sets', async () => {
  const failed = new Promise((resolve) => process.once('unhandledRejection', resolve))
  const client = await open(async (socket) => {
    connectionOf(socket)?.setAttribute('user.id', 'u-1')
    await null
    throw new RangeError('no tenant')
  })
  await failed
  const span = await telemetry.waitForSpan('open /feed')
  expect(span.attributes['user.id']).toBe('u-1')
  expect(span.status.code).toBe(SpanStatusCode.ERROR)
  const [row] = await telemetry.collect('websocket.server.open.duration')
  expect(row?.attributes).toEqual({ 'websocket.route': '/feed', 'error.type': 'RangeError' })
  client.socket.close(1000)
  await telemetry.waitForSpan('close /feed')
})
