import type { TelemetryOptions } from '@otel-ws/core'
import { type ApplicationTracer, type TracedApplication, traceScanner } from '@otel-ws/nestjs/adapter'
import { type HostFile, HostInstrumentation, type HostInstrumentationConfig } from './host-instrumentation.ts'
import { References } from './references.ts'

/**
 * Has every Nest application with gateways import `WsTraceModule` of `@otel-ws/nestjs`, unless it does so itself. Nest 12
 * consists of ES modules: a loader hook must be there before it is imported, which `@otel-ws/instrumentation/register`
 * sees to.
 */
export class NestWebSocketInstrumentation extends HostInstrumentation {
  readonly #applications = new References<TracedApplication>()
  readonly #tracer: ApplicationTracer = {
    options: () => this.#begin(),
    onTraced: (application) => this.#applications.add(application),
  }

  constructor(config: HostInstrumentationConfig = {}) {
    super('@otel-ws/instrumentation/nestjs', config)
    this.start()
  }

  /** Applications that run are not traced again when it is enabled again. */
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

  #begin(): TelemetryOptions | undefined {
    if (!this.isEnabled()) return undefined
    this.beforeUse?.()
    return this.telemetryOptions()
  }
}
