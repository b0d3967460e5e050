import { Telemetry as Sdk } from '@otel-ws/testkit'
import { afterEach, expect, it, vi } from 'vitest'
import { createTelemetry } from '../src/telemetry.ts'

const driver = { text: () => '', bufferedAmount: () => 0 }

afterEach(() => vi.useRealTimers())

it('notices an SDK that is registered late within a second, without any message', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const telemetry = createTelemetry({}, { name: 'late SDK', version: '1' }, driver)
  expect(telemetry.services.tracer).toBe(undefined)
  const sdk = new Sdk()
  sdk.install()
  try {
    vi.advanceTimersByTime(1000)
    expect(telemetry.services.tracer).not.toBe(undefined)
    expect(telemetry.services.metrics.recording).toBe(true)
  } finally {
    telemetry.end()
    await sdk.uninstall()
  }
})

it('looks for none after its end', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const telemetry = createTelemetry({}, { name: 'no SDK', version: '1' }, driver)
  telemetry.end()
  const sdk = new Sdk()
  sdk.install()
  try {
    vi.advanceTimersByTime(5000)
    expect(telemetry.services.tracer).toBe(undefined)
  } finally {
    await sdk.uninstall()
  }
})
