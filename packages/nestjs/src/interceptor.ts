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
import { clientConnection, clientDriver } from './gateway-client.ts'
import { describeHandler } from './handler.ts'
import { WS_TRACE_OPTIONS } from './options.ts'
import { observeHandling } from './result.ts'
import { SCOPE } from './version.ts'

/**
 * Traces and measures the messages of gateways. Use it on a handler, on a gateway, or globally, by dependency injection or
 * as an instance. Each message has a `process` span with the name of its pattern, which ends when the handler's promise or
 * Observable has settled. Execution contexts other than `ws` are not traced.
 *
 * ```ts
 * @UseInterceptors(WsTraceInterceptor)
 * ```
 *
 * @throws OptionError for wrong options
 */
export class WsTraceInterceptor implements NestInterceptor, OnApplicationShutdown {
  readonly #telemetry: Telemetry

  /** @param options with dependency injection those of `WsTraceModule`, otherwise the defaults */
  constructor(options?: TelemetryOptions) {
    this.#telemetry = createTelemetry(options, SCOPE, clientDriver)
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const client: unknown = context.getArgByIndex(0)
    if (context.getType() !== 'ws' || typeof client !== 'object' || client === null) return next.handle()
    if (!this.#telemetry.options.enabled) return next.handle()
    const handler = describeHandler(context)
    return observeHandling(clientConnection(client, handler.path, this.#telemetry), handler, context, next)
  }

  /** Ends the spans that are still open; Nest calls it when the application closes. */
  onApplicationShutdown(): void {
    this.#telemetry.end()
  }
}

// Called as functions, so that the source has only syntax that can be erased. The metadata is the same.
Injectable()(WsTraceInterceptor)
Optional()(WsTraceInterceptor, undefined, 0)
Inject(WS_TRACE_OPTIONS)(WsTraceInterceptor, undefined, 0)
