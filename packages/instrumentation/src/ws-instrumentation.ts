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
  /** Copies of `ws` that are traced. */
  #copies = 0
  #unwatchHttp: (() => void) | undefined

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
        trace: (exports) => this.#traceCopy(exports as ServerClass),
      },
    ]
  }

  #traceCopy(serverClass: ServerClass): () => void {
    const restore = traceServerClass(serverClass, (request) =>
      isEngineIoRequest(request) ? undefined : this.telemetry,
    )
    this.#copies++
    this.#unwatchHttp ??= watchHttpServers(() => this.telemetry)
    return () => {
      restore()
      this.#copies--
      if (this.#copies > 0) return
      this.#unwatchHttp?.()
      this.#unwatchHttp = undefined
    }
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
