import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { MeterProvider, TracerProvider } from '@opentelemetry/api'
import type { TelemetryOptions } from '@otel-ws/core'
import { createTelemetry, type Telemetry } from '@otel-ws/core/adapter'
import { type AmbientScope, type AmbientTracer, driver, SCOPE, traceInstance } from '@otel-ws/fastify/adapter'
import type { FastifyInstance } from 'fastify'
import { HostInstrumentation, type HostInstrumentationConfig } from './host-instrumentation.ts'
import { References } from './references.ts'

/** Diagnostics channel on which Fastify publishes each new instance. */
const CHANNEL = 'fastify.initialization'

const MAJOR = '5.'

/**
 * Traces the WebSocket routes of every Fastify instance that is created from now on, with the plugin of
 * `@otel-ws/fastify`. If the application registers that plugin itself, its options are used.
 */
export class FastifyWebSocketInstrumentation extends HostInstrumentation {
  readonly #scopes = new References<AmbientScope>()
  readonly #tracer: AmbientTracer = { telemetry: () => this.newTelemetry() }
  readonly #onInstance = (message: unknown) => this.#traceInstance((message as { fastify: FastifyInstance }).fastify)

  constructor(config: HostInstrumentationConfig = {}) {
    super('@otel-ws/instrumentation/fastify', config)
    this.start()
  }

  override enable(): void {
    if (this.isEnabled()) return
    super.enable()
    subscribe(CHANNEL, this.#onInstance)
    this.#updateScopes()
  }

  override disable(): void {
    if (!this.isEnabled()) return
    unsubscribe(CHANNEL, this.#onInstance)
    for (const scope of this.#scopes.values()) scope.setTelemetry(this.#tracer, undefined)
    super.disable()
  }

  override setConfig(config: HostInstrumentationConfig = {}): void {
    super.setConfig(config)
    // The base class calls this in its constructor, before this field exists.
    if (#scopes in this) this.#updateScopes()
  }

  override setTracerProvider(provider: TracerProvider): void {
    super.setTracerProvider(provider)
    this.#updateScopes()
  }

  override setMeterProvider(provider: MeterProvider): void {
    super.setMeterProvider(provider)
    this.#updateScopes()
  }

  protected override createTelemetry(options: TelemetryOptions): Telemetry {
    return createTelemetry(options, SCOPE, driver)
  }

  #updateScopes(): void {
    if (!this.isEnabled()) return
    for (const scope of this.#scopes.values()) scope.setTelemetry(this.#tracer, this.newTelemetry())
  }

  #traceInstance(fastify: FastifyInstance): void {
    try {
      if (fastify.version?.startsWith(MAJOR)) this.#scopes.add(traceInstance(fastify, this.#tracer))
      else this.warnUnsupported('fastify', fastify.version, [Number.parseInt(MAJOR, 10)])
    } catch (error) {
      this._diag.error('a Fastify instance is not traced', error)
    }
  }
}
