import {
  type CallHandler,
  type ExecutionContext,
  Inject,
  Injectable,
  type NestInterceptor,
  type OnApplicationShutdown,
  Optional,
} from '@nestjs/common'
import type { TelemetryOptions } from '@otel-ws/core'
import { createTelemetry, type Telemetry } from '@otel-ws/core/adapter'
import type { Observable } from 'rxjs'
import { clientDriver, connectionFor } from './gateway-client.ts'
import { describeHandler } from './handler.ts'
import { WS_TRACE_OPTIONS } from './options.ts'
import { observeHandling } from './result.ts'
import { SCOPE } from './version.ts'

/**
 * Traces and measures the messages of gateways: on a handler, a gateway, or globally, by dependency injection or as an
 * instance. Each message is a `process` span with the name of its pattern, which lasts until the handler's value, promise
 * or Observable has settled. Other kinds of execution contexts pass untouched.
 *
 * ```ts
 * @UseInterceptors(WsTraceInterceptor)
 * ```
 *
 * @throws OptionError for wrong options
 */
export class WsTraceInterceptor implements NestInterceptor, OnApplicationShutdown {
  readonly #telemetry: Telemetry

  /** @param options by dependency injection those of `WsTraceModule`, else the defaults */
  constructor(options?: TelemetryOptions) {
    this.#telemetry = createTelemetry(options, SCOPE, clientDriver)
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const client: unknown = context.getArgByIndex(0)
    if (context.getType() !== 'ws' || typeof client !== 'object' || client === null) return next.handle()
    if (!this.#telemetry.options.enabled) return next.handle()
    const handler = describeHandler(context)
    return observeHandling(connectionFor(client, handler.path, this.#telemetry), handler, context, next)
  }

  /** Ends the spans that are still open and flushes the SDK; Nest calls it when the application closes. */
  async onApplicationShutdown(): Promise<void> {
    await this.#telemetry.shutdown()
  }
}

// Decorators as calls: what Nest reads is the same, and the source stays free of syntax that types alone cannot erase.
Injectable()(WsTraceInterceptor)
Optional()(WsTraceInterceptor, undefined, 0)
Inject(WS_TRACE_OPTIONS)(WsTraceInterceptor, undefined, 0)
