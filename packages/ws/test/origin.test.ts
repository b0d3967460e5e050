import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, Telemetry } from '@otel-ws/testkit'
import { traceWebSocketServer } from '@otel-ws/ws'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'

let telemetry = new Telemetry()

beforeEach(() => {
  telemetry = new Telemetry()
  telemetry.install()
})

afterEach(() => telemetry.uninstall())

it.each(['linked', 'connection'] as const)(
  'records the transport of a Unix domain socket with traces %s',
  async (traces) => {
    const server = createServer()
    const wss = new WebSocketServer({ server })
    traceWebSocketServer(wss, { traces })
    const path = join(tmpdir(), `otel-ws-${process.pid}-${traces}.sock`)
    await new Promise<void>((resolve) => server.listen(path, resolve))
    const client = await connect(`ws+unix:${path}:/`)
    await client.close(1000)
    const span = await telemetry.waitForSpan(traces === 'linked' ? 'close' : 'connection')
    expect(span.attributes['network.transport']).toBe('unix')
    await new Promise((resolve) => server.close(resolve))
  },
)

it.each([
  [true, ['wss', '203.0.113.7', '127.0.0.1']],
  [false, ['ws', '127.0.0.1', undefined]],
])('follows the setting of an Express application: %s', async (trusts, expected) => {
  // The members by which an Express application answers what it trusts.
  const settings = { 'trust proxy fn': () => trusts }
  const app = Object.assign(() => {}, {
    get: (name: keyof typeof settings) => settings[name],
    enabled: () => trusts,
  })
  const server = createServer(app)
  const wss = new WebSocketServer({ server })
  traceWebSocketServer(wss)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const headers = { 'x-forwarded-for': '203.0.113.7', 'x-forwarded-proto': 'https' }
  const client = await connect(`ws://127.0.0.1:${port}`, [], { headers })
  const { attributes } = await telemetry.waitForSpan('GET')
  expect(['url.scheme', 'client.address', 'network.peer.address'].map((name) => attributes[name])).toEqual(expected)
  await client.close(1000)
  await telemetry.waitForSpan('close')
  await new Promise((resolve) => server.close(resolve))
})
