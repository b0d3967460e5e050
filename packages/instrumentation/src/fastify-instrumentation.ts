import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { MeterProvider, TracerProvider } from '@opentelemetry/api'
import type { TelemetryOptions } from '@otel-ws/core'
import { createTelemetry, type Telemetry } from '@otel-ws/core/adapter'
import { type AmbientScope, type AmbientTracer, driver, SCOPE, traceInstance } from '@otel-ws/fastify/adapter'
import type { FastifyInstance } from 'fastify'
import { HostInstrumentation, type HostInstrumentationConfig } from './host-instrumentation.ts'
import { References } from './references.ts'

/** Fastify tells of each instance on this diagnostics channel. */
const CHANNEL = 'fastify.initialization'

const MAJOR = '5.'

/**
 * Traces the WebSocket routes of every Fastify instance that is made from now on, with the plugin of `@otel-ws/fastify`.
 * An application that registers that plugin itself has it by its own options.
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
    this.#offer()
  }

  override disable(): void {
    if (!this.isEnabled()) return
    unsubscribe(CHANNEL, this.#onInstance)
    for (const scope of this.#scopes.values()) scope.offer(this.#tracer, undefined)
    super.disable()
  }

  override setConfig(config: HostInstrumentationConfig = {}): void {
    super.setConfig(config)
    // The base class calls this before the object is complete.
    if (#scopes in this) this.#offer()
  }

  override setTracerProvider(provider: TracerProvider): void {
    super.setTracerProvider(provider)
    this.#offer()
  }

  override setMeterProvider(provider: MeterProvider): void {
    super.setMeterProvider(provider)
    this.#offer()
  }

  protected override createTelemetry(options: TelemetryOptions): Telemetry {
    return createTelemetry(options, SCOPE, driver)
  }

  #offer(): void {
    if (!this.isEnabled()) return
    for (const scope of this.#scopes.values()) scope.offer(this.#tracer, this.newTelemetry())
  }

  #traceInstance(fastify: FastifyInstance): void {
    try {
      if (fastify.version?.startsWith(MAJOR)) this.#scopes.add(traceInstance(fastify, this.#tracer))
      else this.leaveAlone('fastify', fastify.version, [Number.parseInt(MAJOR, 10)])
    } catch (error) {
      this._diag.error('a Fastify instance is left alone', error)
    }
  }
}
