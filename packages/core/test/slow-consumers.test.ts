import { Telemetry as Sdk } from '@otel-ws/testkit'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createTelemetry } from '../src/telemetry.ts'

const scope = { name: '@otel-ws/test-slow-consumers', version: '0.0.0' }
const driver = { text: () => '', bufferedAmount: (socket: { bytes: number }) => socket.bytes }
let sdk: Sdk

beforeEach(() => {
  sdk = new Sdk()
  sdk.install()
})

afterEach(() => sdk.uninstall())

function serverWith(bytes: readonly number[]) {
  const telemetry = createTelemetry({ slowConsumerBytes: 1000, route: '/r' }, scope, driver)
  const connections = bytes.map((buffered) => telemetry.handshake({ headers: {} })?.accept({ bytes: buffered }))
  return { ids: connections.map((connection) => connection?.id), services: telemetry.services, connections }
}

it('lists the twenty connections with the most buffered bytes, the slowest first', () => {
  const bytes = Array.from({ length: 30 }, (_, index) => 100 * index)
  const { ids, services, connections } = serverWith(bytes)
  services.slowConsumers.report()
  const span = sdk.span('slow consumers')
  expect(span.events).toHaveLength(20)
  expect(span.events[0]).toMatchObject({
    name: 'websocket.connection.buffered',
    attributes: { 'websocket.connection.id': ids[29], 'websocket.send.buffered': 2900 },
  })
  expect(span.links).toEqual([])
  for (const connection of connections) connection?.close()
})

it('reports nothing while no connection is slow', () => {
  const { services, connections } = serverWith([0, 10, 1000])
  services.slowConsumers.report()
  expect(sdk.spans('slow consumers')).toEqual([])
  for (const connection of connections) connection?.close()
})
