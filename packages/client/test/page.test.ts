import { expect, it } from 'vitest'
import { WebSocket as WsClient } from 'ws'
import { type ClientOptions, clientMetrics, traceWebSocket } from '../src/browser.ts'
import { event } from './clients.ts'
import { useServer } from './server.ts'

const fixture = useServer()

/** A connection that is opened and closed as in a page: by the platform's events. */
async function visit(options: ClientOptions): Promise<void> {
  const socket = traceWebSocket(new WsClient(fixture.url) as unknown as WebSocket, { route: '/r', ...options })
  await event(socket, 'open')
  const closed = event(socket, 'close')
  socket.close(1000)
  await closed
  expect(fixture.telemetry.names()).toEqual(['close /r', 'connect /r'])
}

it('is measured when it asks for it', async () => {
  await visit({ metrics: clientMetrics })
  const [row] = await fixture.telemetry.collect('websocket.client.connection.duration')
  expect(row).toMatchObject({ count: 1, attributes: { 'websocket.route': '/r', 'websocket.close.code': 1000 } })
})

it('is not measured unasked', async () => {
  await visit({})
  expect(await fixture.telemetry.collect('websocket.client.connection.duration')).toEqual([])
})

it('tells that what measures is missing where a provider is given', async () => {
  await visit({ meterProvider: fixture.telemetry.meterProvider })
  expect(fixture.telemetry.diagnostics).toEqual([expect.stringContaining('needs metrics for meterProvider')])
  expect(await fixture.telemetry.collect('websocket.client.connection.duration')).toEqual([])
})

it('tells that it can declare context in messages only with a URL of traceUrl', async () => {
  await visit({ propagation: 'always' })
  expect(fixture.telemetry.diagnostics).toEqual([expect.stringContaining('needs traceUrl')])
})
