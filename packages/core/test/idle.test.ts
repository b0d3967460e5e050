import { Telemetry as TestTelemetry } from '@otel-ws/testkit'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createTelemetry } from '../src/adapter.ts'
import type { TelemetryOptions } from '../src/index.ts'

const IDLE = 'websocket.server.connection.idle'
const DRIVER = { text: () => '', bufferedAmount: () => 0 }
const MESSAGE = { data: 'x', binary: false, size: 1 }

describe('idle connections', () => {
  let sdk: TestTelemetry

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    sdk = new TestTelemetry()
    sdk.install()
  })

  afterEach(async () => {
    vi.useRealTimers()
    await sdk.uninstall()
  })

  function open(options: TelemetryOptions, count: number) {
    const telemetry = createTelemetry(options, { name: 'test', version: '0' }, DRIVER)
    const connections = Array.from({ length: count }, () => {
      const handshake = telemetry.handshake({ headers: {} }, { route: '/chat' })
      if (handshake === undefined) throw new Error('the handshake is ignored')
      return handshake.accept({})
    })
    return { telemetry, connections }
  }

  const idle = async () => (await sdk.collect(IDLE)).map(({ value, attributes }) => [value, attributes])

  it('are those without a message in either direction for idleTimeout', async () => {
    const { telemetry, connections } = open({ idleTimeout: 10_000 }, 3)
    const [receiver, sender, quiet] = connections
    expect(await idle()).toEqual([[0, { 'websocket.route': '/chat' }]])
    vi.advanceTimersByTime(9000)
    receiver?.startReceive(MESSAGE)?.run(() => {})
    sender?.send(MESSAGE, () => {})
    vi.advanceTimersByTime(2000)
    expect(await idle()).toEqual([[1, { 'websocket.route': '/chat' }]])
    vi.advanceTimersByTime(9000)
    expect(await idle()).toEqual([[3, { 'websocket.route': '/chat' }]])
    quiet?.startReceive(MESSAGE)?.run(() => {})
    sender?.close()
    expect(await idle()).toEqual([[1, { 'websocket.route': '/chat' }]])
    for (const connection of connections) connection.close()
    telemetry.end()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('are not counted without the option, and cost no timer of their own', async () => {
    const before = vi.getTimerCount()
    const { telemetry, connections } = open({}, 1)
    expect(await idle()).toEqual([])
    for (const connection of connections) connection.close()
    telemetry.end()
    expect(vi.getTimerCount()).toBe(before)
  })
})
