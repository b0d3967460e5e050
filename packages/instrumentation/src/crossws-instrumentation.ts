import type { TelemetryOptions } from '@otel-ws/core'
import { createTelemetry, type Telemetry } from '@otel-ws/core/adapter'
import { driver, SCOPE, traceNodeAdapter } from '@otel-ws/crossws/adapter'
import { type HostFile, HostInstrumentation, type HostInstrumentationConfig } from './host-instrumentation.ts'

/**
 * Traces every server that crossws creates on Node, with the copy of `ws` that it carries. crossws consists of ES modules:
 * loader hooks must be registered before it is imported, as `@otel-ws/instrumentation/register` does.
 */
export class CrosswsInstrumentation extends HostInstrumentation {
  constructor(config: HostInstrumentationConfig = {}) {
    super('@otel-ws/instrumentation/crossws', config)
    this.start()
  }

  protected override files(): readonly HostFile[] {
    return [
      {
        package: 'crossws',
        majors: [0],
        file: 'dist/_chunks/node.mjs',
        trace: (exports) => traceNodeAdapter(exports as Parameters<typeof traceNodeAdapter>[0], () => this.telemetry),
      },
    ]
  }

  protected override createTelemetry(options: TelemetryOptions): Telemetry {
    return createTelemetry(options, SCOPE, driver)
  }
}
