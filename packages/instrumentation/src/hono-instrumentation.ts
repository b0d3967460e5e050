import type { TelemetryOptions } from '@otel-ws/core'
import { createTelemetry, type Telemetry } from '@otel-ws/core/adapter'
import { driver, SCOPE, traceNodeServer, traceNodeWs } from '@otel-ws/hono/adapter'
import { type HostFile, HostInstrumentation, type HostInstrumentationConfig } from './host-instrumentation.ts'

/**
 * Traces the WebSocket routes of Hono on Node: every helper of `@hono/node-ws`, and every server of `@hono/node-server` 2.
 * Imported as ES modules, they need loader hooks, as `@otel-ws/instrumentation/register` registers them. If the application
 * calls `traceWebSocket` of `@otel-ws/hono` itself, its options are used.
 */
export class HonoInstrumentation extends HostInstrumentation {
  constructor(config: HostInstrumentationConfig = {}) {
    super('@otel-ws/instrumentation/hono', config)
    this.start()
  }

  protected override files(): readonly HostFile[] {
    const create = () => this.#createEnabled()
    const nodeWs = (exports: unknown) => traceNodeWs(exports as Parameters<typeof traceNodeWs>[0], create)
    const nodeServer = (exports: unknown) => traceNodeServer(exports as Parameters<typeof traceNodeServer>[0], create)
    return [
      { package: '@hono/node-ws', majors: [1], file: 'dist/index.cjs', isMain: true, trace: nodeWs },
      { package: '@hono/node-ws', majors: [1], file: 'dist/index.js', isMain: true, trace: nodeWs },
      // Version 1 has no WebSockets of its own.
      {
        package: '@hono/node-server',
        majors: [2],
        ignoredMajors: [1],
        file: 'dist/index.cjs',
        isMain: true,
        trace: nodeServer,
      },
      {
        package: '@hono/node-server',
        majors: [2],
        ignoredMajors: [1],
        file: 'dist/index.mjs',
        isMain: true,
        trace: nodeServer,
      },
    ]
  }

  protected override createTelemetry(options: TelemetryOptions): Telemetry {
    return createTelemetry(options, SCOPE, driver)
  }

  #createEnabled(): Telemetry | undefined {
    const telemetry = this.newTelemetry()
    return telemetry?.options.enabled ? telemetry : undefined
  }
}
