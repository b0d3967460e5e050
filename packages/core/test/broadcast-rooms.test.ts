import { Telemetry as TestTelemetry } from '@otel-ws/testkit'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createTelemetry } from '../src/adapter.ts'

let sdk: TestTelemetry

beforeEach(() => {
  sdk = new TestTelemetry()
  sdk.install()
})

afterEach(() => sdk.uninstall())

it('names the first ten rooms of a broadcast, cut at 64 characters', () => {
  const telemetry = createTelemetry({}, { name: 'test', version: '0' }, { text: () => '', bufferedAmount: () => 0 })
  const rooms = new Set(Array.from({ length: 1000 }, (_, n) => `${n}${'x'.repeat(100)}`))
  const broadcast = telemetry.startBroadcast({ route: '/chat' }, 'news')
  broadcast?.addressed(rooms, ['one'])
  broadcast?.run(() => {})
  const { attributes } = sdk.span('broadcast news')
  expect(attributes['websocket.broadcast.rooms']).toEqual([...rooms].slice(0, 10).map((room) => room.slice(0, 64)))
  expect(attributes['websocket.broadcast.except']).toEqual(['one'])
  telemetry.end()
})
