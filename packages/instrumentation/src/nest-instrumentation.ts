import type { TelemetryOptions } from '@otel-ws/core'
import { type ApplicationTracer, type TracedApplication, traceScanner } from '@otel-ws/nestjs/adapter'
import { type HostFile, HostInstrumentation, type HostInstrumentationConfig } from './host-instrumentation.ts'
import { References } from './references.ts'

/**
 * Adds `WsTraceModule` of `@otel-ws/nestjs` to every Nest application with gateways that does not import it itself. Nest 12
 * consists of ES modules: loader hooks must be registered before it is imported, as `@otel-ws/instrumentation/register`
 * does.
 */
export class NestWebSocketInstrumentation extends HostInstrumentation {
  readonly #applications = new References<TracedApplication>()
  readonly #tracer: ApplicationTracer = {
    options: () => this.#options(),
    onTraced: (application) => this.#applications.add(application),
  }

  constructor(config: HostInstrumentationConfig = {}) {
    super('@otel-ws/instrumentation/nestjs', config)
    this.start()
  }

  /** Running applications are not traced again when the instrumentation is enabled again. */
  override disable(): void {
    for (const application of this.#applications.values()) application.release()
    this.#applications.clear()
    super.disable()
  }

  override async shutdown(): Promise<void> {
    await Promise.all(this.#applications.values().map((application) => application.shutdown()))
  }

  protected override files(): readonly HostFile[] {
    return [
      {
        package: '@nestjs/core',
        majors: [11, 12],
        file: 'scanner.js',
        specifier: '@nestjs/core/scanner.js',
        trace: (exports) =>
          traceScanner((exports as { DependenciesScanner: { prototype: unknown } }).DependenciesScanner, this.#tracer),
      },
    ]
  }

  #options(): TelemetryOptions | undefined {
    if (!this.isEnabled()) return undefined
    this.beforeTelemetry?.()
    return this.telemetryOptions()
  }
}
