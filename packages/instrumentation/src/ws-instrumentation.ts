import type { TelemetryOptions } from '@otel-ws/core'
import { createTelemetry, type Telemetry } from '@otel-ws/core/adapter'
import { driver, SCOPE, traceServerClass } from '@otel-ws/ws/adapter'
import { type HostFile, HostInstrumentation, type HostInstrumentationConfig } from './host-instrumentation.ts'

type ServerClass = Parameters<typeof traceServerClass>[0]
type Request = Parameters<Telemetry['handshake']>[0]

/**
 * Traces every `ws` server of the process, in each copy of `ws`, whether or not it exists already. Servers under
 * Engine.IO, and those that an adapter traces by itself, are left to it.
 */
export class WsInstrumentation extends HostInstrumentation {
  constructor(config: HostInstrumentationConfig = {}) {
    super('@otel-ws/instrumentation/ws', config)
    this.start()
  }

  protected override files(): readonly HostFile[] {
    return [
      {
        package: 'ws',
        // Version 7 for libraries that bring it, such as express-ws.
        majors: [7, 8],
        file: 'lib/websocket-server.js',
        requires: 'lib/websocket.js',
        trace: (exports) =>
          traceServerClass(exports as ServerClass, (request) => (isEngineIos(request) ? undefined : this.telemetry)),
      },
    ]
  }

  protected override createTelemetry(options: TelemetryOptions): Telemetry {
    return createTelemetry(options, SCOPE, driver)
  }
}

/** Engine.IO puts the query of a request that it has taken on the request. */
function isEngineIos(request: Request): boolean {
  const { _query: query } = request as { _query?: { EIO?: unknown } | undefined }
  return query?.EIO !== undefined
}
