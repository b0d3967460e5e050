import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { trace } from '@opentelemetry/api'
import { Telemetry } from '@otel-ws/testkit'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

const main = createRequire(import.meta.url).resolve('@opentelemetry/api')
const { version } = JSON.parse(readFileSync(join(main, '../../../package.json'), 'utf8')) as { version: string }

const KEY = Symbol.for('opentelemetry.js.api.1')
const host = globalThis as { [KEY]?: object | undefined }

describe('two copies of @opentelemetry/api', () => {
  let before: object | undefined
  let warnings: { message: string; code?: string }[]
  const onWarning = (warning: Error & { code?: string }) => warnings.push(warning)

  beforeEach(() => {
    before = host[KEY]
    warnings = []
    process.on('warning', onWarning)
    vi.resetModules()
  })

  afterEach(() => {
    host[KEY] = before
    process.off('warning', onWarning)
  })

  /** Lets a server see its first connection, and waits for warnings. */
  async function connect(): Promise<void> {
    const { createTelemetry } = await import('../src/adapter.ts')
    const telemetry = createTelemetry({}, { name: 'test', version: '0' }, { text: () => '', bufferedAmount: () => 0 })
    for (let n = 0; n < 2; n++) telemetry.handshake({ headers: {} })?.reject(400)
    await new Promise(setImmediate)
  }

  it('where the SDK is registered by an older one are named once, with their versions', async () => {
    const registered = { version: '1.0.0', trace: { getTracer: () => trace.getTracer('other') } }
    host[KEY] = registered
    await connect()
    expect(warnings.map(({ code, message }) => ({ code, message }))).toEqual([
      {
        code: 'OTEL_WS_API_VERSIONS',
        message: expect.stringMatching(
          `registered by @opentelemetry/api 1\\.0\\.0, and otel-ws uses ${version.replaceAll('.', '\\.')},`,
        ),
      },
    ])
    expect(host[KEY]).toBe(registered)
    expect(Object.keys(registered)).toEqual(['version', 'trace'])
  })

  it('are not named where there is no SDK, or one that is seen', async () => {
    await connect()
    const telemetry = new Telemetry()
    telemetry.install()
    await connect()
    await telemetry.uninstall()
    expect(warnings).toEqual([])
  })
})
