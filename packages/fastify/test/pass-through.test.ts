import { Telemetry } from '@otel-ws/testkit'
import { passThroughSuite } from '@otel-ws/testkit/suites'
import { afterAll, beforeAll } from 'vitest'
import { traceHandler } from '../src/route-handler.ts'

const telemetry = new Telemetry()
beforeAll(() => telemetry.install())
afterAll(() => telemetry.uninstall())

passThroughSuite('a route with option websocket', { handler: {} }, (originals) => {
  const route = { websocket: true, handler: originals['handler'] }
  traceHandler(route as never)
  return route
})

passThroughSuite('a route with a wsHandler', { wsHandler: {} }, (originals) => {
  const route = { wsHandler: originals['wsHandler'] }
  traceHandler(route as never)
  return route
})
