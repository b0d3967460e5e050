import type { Server as HttpServer } from 'node:http'
import {
  type DynamicModule,
  Inject,
  Module,
  type ModuleMetadata,
  type OnApplicationShutdown,
  Optional,
  type WebSocketAdapter,
} from '@nestjs/common'
import { HttpAdapterHost, ModuleRef, ModulesContainer } from '@nestjs/core'
import type { TelemetryOptions } from '@otel-ws/core'
import { createTelemetry, type Telemetry, warn } from '@otel-ws/core/adapter'
import { wrapMethod } from '@otel-ws/core/node'
import { observeExceptions } from './exceptions.ts'
import { type GatewayClass, gatewayClass, traceGateway } from './gateway.ts'
import { clientDriver } from './gateway-client.ts'
import { WS_TRACE_OPTIONS } from './options.ts'
import { ServerTracer } from './server.ts'
import { SCOPE } from './version.ts'
import { type AdapterHooks, traceAdapter } from './websocket-adapter.ts'

/** Argument of {@link WsTraceModule.forRootAsync}. */
export interface WsTraceAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
  /** Tokens of the providers that are passed to `useFactory`. */
  inject?: unknown[]
  useFactory: (...dependencies: never[]) => TelemetryOptions | Promise<TelemetryOptions>
}

/** The members of Nest's `ApplicationConfig` that are used. */
interface AdapterHolder {
  getIoAdapter(): WebSocketAdapter | null
  setIoAdapter(adapter: WebSocketAdapter): void
}

const INSTALLED = Symbol.for('otel-ws.nestjs.module')

/**
 * Traces and measures all gateways of an application: handshakes, `handleConnection` and `handleDisconnect`, every
 * message from its dispatch through guards, pipes, handler and exception filters, each message that the server sends, and
 * the reason of each close.
 *
 * ```ts
 * @Module({ imports: [WsTraceModule.forRoot()] })
 * ```
 */
export class WsTraceModule implements OnApplicationShutdown {
  readonly #telemetry: Telemetry
  readonly #modules: ModulesContainer
  readonly #servers: ServerTracer
  readonly #classes = new Map<unknown, GatewayClass>()
  #areGatewaysTraced = false
  /** Set between `afterInit` and `bindClientConnect`, which Nest calls in one synchronous run. */
  #gatewayOfCurrentRun: GatewayClass | undefined

  /**
   * @param options validated when the application is created
   * @throws OptionError for wrong options
   */
  static forRoot(options: TelemetryOptions = {}): DynamicModule {
    return {
      module: WsTraceModule,
      global: true,
      providers: [{ provide: WS_TRACE_OPTIONS, useValue: options }],
      exports: [WS_TRACE_OPTIONS],
    }
  }

  /** Like `forRoot`, with options that a factory creates from other providers. */
  static forRootAsync({ imports = [], inject = [], useFactory }: WsTraceAsyncOptions): DynamicModule {
    return {
      module: WsTraceModule,
      global: true,
      imports,
      providers: [{ provide: WS_TRACE_OPTIONS, useFactory, inject: inject as never[] }],
      exports: [WS_TRACE_OPTIONS],
    }
  }

  constructor(options: TelemetryOptions, moduleRef: ModuleRef, modules: ModulesContainer, http?: HttpAdapterHost) {
    this.#telemetry = createTelemetry(options, SCOPE, clientDriver)
    this.#modules = modules
    const patterns = new Set<string>()
    this.#servers = new ServerTracer(
      options,
      patterns,
      () => http?.httpAdapter?.getHttpServer() as HttpServer | undefined,
    )
    const holder = adapterHolder(moduleRef)
    if (!this.#telemetry.options.enabled || holder === undefined || isInstalled(holder)) return
    for (const { metatype } of this.#providers()) {
      const described = gatewayClass(metatype)
      if (described === undefined) continue
      this.#classes.set(metatype, described)
      for (const pattern of described.handlers.keys()) patterns.add(pattern)
      observeExceptions(described)
    }
    this.#traceAdapters(holder)
  }

  /** Ends the spans that are still open; Nest calls it when the application has closed. */
  onApplicationShutdown(): void {
    this.#servers.end()
    this.#telemetry.end()
  }

  /**
   * Ends the spans that are still open and flushes the SDK, for at most `shutdownTimeout`. Call it after `app.close()` if
   * the SDK stays: `await app.get(WsTraceModule).shutdown()`.
   */
  async shutdown(): Promise<void> {
    this.#servers.end()
    await this.#telemetry.shutdown()
  }

  /** Restores the original methods of servers and connections. The wrappers of adapter and gateways stay, without effect. */
  release(): void {
    this.#servers.release()
    this.#telemetry.release()
  }

  /** Traces the WebSocket adapter. The application or Nest sets it after this module was created. */
  #traceAdapters(holder: AdapterHolder): void {
    const hooks: AdapterHooks = {
      telemetry: this.#telemetry,
      onCreate: () => this.#traceGateways(),
      onServer: (server, port) => this.#servers.trace(server, port),
      takeGateway: () => {
        const gateway = this.#gatewayOfCurrentRun
        this.#gatewayOfCurrentRun = undefined
        return gateway
      },
    }
    const present = holder.getIoAdapter()
    if (present) traceAdapter(present, hooks)
    const { setIoAdapter } = holder
    wrapMethod(holder, 'setIoAdapter', function (this: AdapterHolder, adapter: WebSocketAdapter): void {
      if (adapter) traceAdapter(adapter, hooks)
      setIoAdapter.call(this, adapter)
    })
  }

  /** Called before the first server is created: Nest has created all instances and bound none of them to a server. */
  #traceGateways(): void {
    if (this.#areGatewaysTraced) return
    this.#areGatewaysTraced = true
    for (const wrapper of this.#providers()) {
      const described = this.#classes.get(wrapper.metatype)
      const { instance } = wrapper
      if (described === undefined || typeof instance !== 'object' || instance === null) continue
      const onInit = (gateway: GatewayClass) => {
        this.#gatewayOfCurrentRun = gateway
      }
      traceGateway({ class: described, instance, isShared: wrapper.isDependencyTreeStatic() }, onInit)
    }
  }

  *#providers() {
    for (const module of this.#modules.values()) yield* module.providers.values()
  }
}

// Called as functions, so that the source has only syntax that can be erased. The metadata is the same.
Module({})(WsTraceModule)
Inject(WS_TRACE_OPTIONS)(WsTraceModule, undefined, 0)
Inject(ModuleRef)(WsTraceModule, undefined, 1)
Inject(ModulesContainer)(WsTraceModule, undefined, 2)
Inject(HttpAdapterHost)(WsTraceModule, undefined, 3)
Optional()(WsTraceModule, undefined, 3)

/** Returns the configuration with the WebSocket adapter, which no public API of Nest gives to a module. */
function adapterHolder(moduleRef: ModuleRef): AdapterHolder | undefined {
  const { container } = moduleRef as unknown as { container?: { applicationConfig?: Partial<AdapterHolder> } }
  const holder = container?.applicationConfig
  if (typeof holder?.getIoAdapter === 'function' && typeof holder.setIoAdapter === 'function') {
    return holder as AdapterHolder
  }
  warn('the WebSocket adapter of this version of Nest was not found: only WsTraceInterceptor has an effect')
  return undefined
}

function isInstalled(holder: AdapterHolder): boolean {
  if (Object.hasOwn(holder, INSTALLED)) {
    warn('WsTraceModule is imported already: the second import has no effect')
    return true
  }
  Object.defineProperty(holder, INSTALLED, { value: true })
  return false
}
