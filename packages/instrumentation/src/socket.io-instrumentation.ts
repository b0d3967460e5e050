import type { TelemetryOptions } from '@otel-ws/core'
import { createTelemetry, type Telemetry } from '@otel-ws/core/adapter'
import { driver, SCOPE, traceServersOf } from '@otel-ws/socket.io/adapter'
import { type HostFile, HostInstrumentation, type HostInstrumentationConfig } from './host-instrumentation.ts'

type NamespaceClass = Parameters<typeof traceServersOf>[0]

/**
 * Traces every Socket.IO server of the process with all of its namespaces, in each copy of `socket.io`, including servers
 * that exist already. Servers that the application traces itself keep their own options.
 */
export class SocketIoInstrumentation extends HostInstrumentation {
  constructor(config: HostInstrumentationConfig = {}) {
    super('@otel-ws/instrumentation/socket.io', config)
    this.start()
  }

  protected override files(): readonly HostFile[] {
    return [
      {
        package: 'socket.io',
        majors: [4],
        file: 'dist/namespace.js',
        trace: (exports) => traceServersOf((exports as { Namespace: NamespaceClass }).Namespace, () => this.telemetry),
      },
    ]
  }

  protected override createTelemetry(options: TelemetryOptions): Telemetry {
    return createTelemetry(options, SCOPE, driver)
  }
}
