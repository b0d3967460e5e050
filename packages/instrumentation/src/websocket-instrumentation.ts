import type { MeterProvider, TracerProvider } from '@opentelemetry/api'
import type { Instrumentation } from '@opentelemetry/instrumentation'
import { CrosswsInstrumentation } from './crossws-instrumentation.ts'
import { FastifyWebSocketInstrumentation } from './fastify-instrumentation.ts'
import { HonoInstrumentation } from './hono-instrumentation.ts'
import type { HostInstrumentation, HostInstrumentationConfig } from './host-instrumentation.ts'
import { NestWebSocketInstrumentation } from './nest-instrumentation.ts'
import { SocketIoInstrumentation } from './socket.io-instrumentation.ts'
import { SCOPE } from './version.ts'
import { WsInstrumentation } from './ws-instrumentation.ts'

const HOSTS = {
  ws: WsInstrumentation,
  fastify: FastifyWebSocketInstrumentation,
  'socket.io': SocketIoInstrumentation,
  nestjs: NestWebSocketInstrumentation,
  crossws: CrosswsInstrumentation,
  hono: HonoInstrumentation,
} as const

/** The instrumentations of all hosts, with the same configuration. */
export class WebSocketInstrumentation implements Instrumentation<HostInstrumentationConfig> {
  readonly instrumentationName = '@otel-ws/instrumentation'
  readonly instrumentationVersion: string = SCOPE.version
  /** One instrumentation for each host. */
  readonly hosts: readonly HostInstrumentation[]

  /** @throws OptionError for wrong options */
  constructor(config: HostInstrumentationConfig = {}) {
    this.hosts = Object.values(HOSTS).map((Host) => new Host(config))
  }

  enable(): void {
    for (const host of this.hosts) host.enable()
  }

  /** Restores every original method; see {@link HostInstrumentation.disable}. */
  disable(): void {
    for (const host of this.hosts) host.disable()
  }

  setTracerProvider(provider: TracerProvider): void {
    for (const host of this.hosts) host.setTracerProvider(provider)
  }

  setMeterProvider(provider: MeterProvider): void {
    for (const host of this.hosts) host.setMeterProvider(provider)
  }

  setConfig(config: HostInstrumentationConfig): void {
    for (const host of this.hosts) host.setConfig(config)
  }

  getConfig(): HostInstrumentationConfig {
    return this.hosts[0]?.getConfig() ?? {}
  }

  /** Ends every span that is still open and flushes the SDK. Call it when the process stops. */
  async shutdown(): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.shutdown()))
  }
}
