const { connect, TestTelemetry } = require('@otel-ws/testing')
require('@otel-ws/testing/jest')
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
  expect(await client.next()).toBe('{"TYPE":"ORDER"}')

  const order = await telemetry.waitForSpan('process order')
  const answer = await telemetry.waitForSpan('send /work')
  expect(answer).toBeChildOf(order)
  expect(order).toHaveLinkTo(telemetry.span('GET /work'))
  expect(telemetry).toHaveSpan('process order', { error: false, attributes: { 'websocket.route': '/work' } })
  await expect(telemetry).toHaveMetricValue('websocket.server.message.process.duration', 1)
  await client.close(1000)
})
