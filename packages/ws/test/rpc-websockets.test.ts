import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { Telemetry } from '@otel-ws/testkit'
import { traceWebSocketServer } from '@otel-ws/ws'
import { Client, Server } from 'rpc-websockets'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { WebSocketServer } from 'ws'

let telemetry: Telemetry

beforeEach(() => {
  telemetry = new Telemetry()
  telemetry.install()
})

/** Resolves with the next event of a client. */
function next(client: Client, event: string): Promise<void> {
  return new Promise((resolve) => client.once(event, () => resolve()))
}

afterEach(() => telemetry.uninstall())

it('records the calls of rpc-websockets, and its own form of notifications', async () => {
  const server = new Server({ port: 0, host: '127.0.0.1' })
  traceWebSocketServer(server.wss as unknown as WebSocketServer, { route: '/rpc' })
  await new Promise<void>((resolve) => server.once('listening', () => resolve()))
  server.register('sum', (parameters) => {
    const [a, b] = parameters as unknown as [number, number]
    return a + b
  })
  server.register('fail', () => {
    throw new Error('secret')
  })
  server.event('changed')
  const { port } = server.wss.address() as { port: number }
  const client = new Client(`ws://127.0.0.1:${port}`, { reconnect: false })
  await next(client, 'open')
  expect(await client.call('sum', [1, 2])).toBe(3)
  await client.call('fail').catch(() => {})
  await client.subscribe('changed')
  const changed = next(client, 'changed')
  server.emit('changed', 1)
  await changed
  await telemetry.waitForSpan('process fail')
  await telemetry.waitUntil(() => telemetry.names().some((name) => /^(send|broadcast) changed/.test(name)), 'the event')
  const sum = telemetry.span('process sum')
  expect([sum.kind, sum.status.code, sum.attributes['websocket.operation.outcome']]).toEqual([
    SpanKind.SERVER,
    SpanStatusCode.UNSET,
    'ok',
  ])
  expect(telemetry.span('process fail').status.code).toBe(SpanStatusCode.ERROR)
  expect(telemetry.spans('process rpc.on')).toHaveLength(1)
  expect(JSON.stringify(telemetry.spans().map(({ attributes, events }) => [attributes, events]))).not.toContain(
    'secret',
  )
  client.close()
  await server.close()
})
