import type { TelemetryOptions } from '@otel-ws/core'
import { createTelemetry, type Telemetry } from '@otel-ws/core/adapter'
import { driver, SCOPE, traceServerClass } from '@otel-ws/ws/adapter'
import { type HostFile, HostInstrumentation, type HostInstrumentationConfig } from './host-instrumentation.ts'
import { watchHttpServers } from './http-upgrades.ts'

type ServerClass = Parameters<typeof traceServerClass>[0]
type Request = Parameters<Telemetry['handshake']>[0]

/**
 * Traces every `ws` server of the process, in each copy of `ws`, including servers that exist already, and the upgrade requests that
 * no WebSocket server is given. Servers of Engine.IO, and those that an adapter traces, are traced by that adapter only.
 */
export class WsInstrumentation extends HostInstrumentation {
  #unwatchHttp: (() => void) | undefined
  #hasWarnedForeign = false

  constructor(config: HostInstrumentationConfig = {}) {
    super('@otel-ws/instrumentation/ws', config)
    this.start()
  }

  protected override files(): readonly HostFile[] {
    return [
      {
        package: 'ws',
        // Libraries such as express-ws depend on version 7.
        majors: [7, 8],
        file: 'lib/websocket-server.js',
        requires: 'lib/websocket.js',
        trace: (exports) =>
          traceServerClass(exports as ServerClass, (request) =>
            isEngineIoRequest(request) ? undefined : this.telemetry,
          ),
      },
    ]
  }

  override enable(): void {
    super.enable()
    this.#unwatchHttp ??= watchHttpServers(
      () => this.telemetry,
      ({ url }) => this.#warnForeign(url),
    )
  }

  override disable(): void {
    super.disable()
    this.#unwatchHttp?.()
    this.#unwatchHttp = undefined
  }

  /** Says once that there is a WebSocket library that cannot be traced. */
  #warnForeign(url: string | undefined): void {
    if (this.#hasWarnedForeign || this.hasUnsupported) return
    this.#hasWarnedForeign = true
    const path = url?.split('?', 1)[0]?.slice(0, 100)
    this._diag.warn(
      `an upgrade request to ${JSON.stringify(path)} was accepted by code that is not traced: a copy of ws that is bundled into the application, another WebSocket library, or a proxy. Trace a bundled server with traceWebSocketServer of @otel-ws/ws, or the hooks of one of Nitro or Nuxt with traceHooks of @otel-ws/crossws (reported once)`,
    )
  }

  protected override createTelemetry(options: TelemetryOptions): Telemetry {
    return createTelemetry(options, SCOPE, driver)
  }
}

/** Engine.IO stores the parsed query on the requests that it handles. */
function isEngineIoRequest(request: Request): boolean {
  const { _query: query } = request as { _query?: { EIO?: unknown } | undefined }
  return query?.EIO !== undefined
}
