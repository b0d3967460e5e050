const { afterEach, beforeEach, test } = require('node:test')
const { equal } = require('node:assert/strict')
const {
  assertChildOf,
  assertLinkTo,
  assertMetricValue,
  assertSpan,
  connect,
  TestTelemetry,
} = require('@otel-ws/testing')
const { startServer } = require('./app.cjs')

let telemetry
let server

beforeEach(async () => {
  telemetry = new TestTelemetry()
  telemetry.install()
  server = await startServer()
})
afterEach(async () => {
  await server.close()
  await telemetry.uninstall()
})

test('the answer of the worker is part of the trace of its message', async () => {
  const client = await connect(server.url)
  client.send('{"type":"order"}')
  equal(await client.next(), '{"TYPE":"ORDER"}')

  const order = await telemetry.waitForSpan('process order')
  const answer = await telemetry.waitForSpan('send /work')
  assertChildOf(answer, order)
  assertLinkTo(order, telemetry.span('GET /work'))
  assertSpan(telemetry, 'process order', { error: false, attributes: { 'websocket.route': '/work' } })
  await assertMetricValue(telemetry, 'websocket.server.message.process.duration', 1)
  await client.close(1000)
})
