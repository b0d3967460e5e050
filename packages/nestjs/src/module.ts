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
import { createTelemetry, type Telemetry, warn, wrapMethod } from '@otel-ws/core/adapter'
import { watchExceptions } from './exceptions.ts'
import { type GatewayClass, gatewayClass, traceGateway } from './gateway.ts'
import { clientDriver } from './gateway-client.ts'
import { WS_TRACE_OPTIONS } from './options.ts'
import { ServerTracer } from './server.ts'
import { SCOPE } from './version.ts'
import { type AdapterHooks, traceAdapter } from './websocket-adapter.ts'

/** How {@link WsTraceModule.forRootAsync} comes by its options. */
export interface WsTraceAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
  /** What is injected into `useFactory`. */
  inject?: unknown[]
  useFactory: (...dependencies: never[]) => TelemetryOptions | Promise<TelemetryOptions>
}

/** The part of Nest's configuration that holds the WebSocket adapter. */
interface AdapterHolder {
  getIoAdapter(): WebSocketAdapter | null
  setIoAdapter(adapter: WebSocketAdapter): void
}

const INSTALLED = Symbol.for('otel-ws.nestjs.module')

/**
 * Traces and measures all gateways of an application: handshakes, `handleConnection` and `handleDisconnect`, every
 * message from its dispatch through guards, pipes, handler and exception filters, what the server sends, and why each
 * connection closed.
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
  #initialised: GatewayClass | undefined

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

  /** As `forRoot`, with options that are made with the help of other providers. */
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
      watchExceptions(described)
    }
    this.#watchAdapter(holder)
  }

  /** Ends the spans that are still open and flushes the SDK; Nest calls it when the application has closed. */
  async onApplicationShutdown(): Promise<void> {
    await this.#servers.shutdown()
    await this.#telemetry.shutdown()
  }

  /** Gives servers and connections everything back. What stands in front of the adapter and of gateways does nothing then. */
  release(): void {
    this.#servers.release()
    this.#telemetry.release()
  }

  /** The application's adapter is set after this module was made, by the application or by Nest. */
  #watchAdapter(holder: AdapterHolder): void {
    const seams: AdapterHooks = {
      telemetry: this.#telemetry,
      onCreate: () => this.#traceGateways(),
      onServer: (server, port) => this.#servers.trace(server, port),
      takeGateway: () => {
        const gateway = this.#initialised
        this.#initialised = undefined
        return gateway
      },
    }
    const present = holder.getIoAdapter()
    if (present) traceAdapter(present, seams)
    const { setIoAdapter } = holder
    wrapMethod(holder, 'setIoAdapter', function (this: AdapterHolder, adapter: WebSocketAdapter): void {
      if (adapter) traceAdapter(adapter, seams)
      setIoAdapter.call(this, adapter)
    })
  }

  /** All instances are there when the first server is made, and none is bound to it yet. */
  #traceGateways(): void {
    if (this.#areGatewaysTraced) return
    this.#areGatewaysTraced = true
    for (const wrapper of this.#providers()) {
      const described = this.#classes.get(wrapper.metatype)
      const { instance } = wrapper
      if (described === undefined || typeof instance !== 'object' || instance === null) continue
      const onInit = (gateway: GatewayClass) => {
        this.#initialised = gateway
      }
      traceGateway({ class: described, instance, isShared: wrapper.isDependencyTreeStatic() }, onInit)
    }
  }

  *#providers() {
    for (const module of this.#modules.values()) yield* module.providers.values()
  }
}

// Decorators as calls: what Nest reads is the same, and the source stays free of syntax that types alone cannot erase.
Module({})(WsTraceModule)
Inject(WS_TRACE_OPTIONS)(WsTraceModule, undefined, 0)
Inject(ModuleRef)(WsTraceModule, undefined, 1)
Inject(ModulesContainer)(WsTraceModule, undefined, 2)
Inject(HttpAdapterHost)(WsTraceModule, undefined, 3)
Optional()(WsTraceModule, undefined, 3)

/** Nest has no public way to its WebSocket adapter for a module; a module's reference knows the container that does. */
function adapterHolder(moduleRef: ModuleRef): AdapterHolder | undefined {
  const { container } = moduleRef as unknown as { container?: { applicationConfig?: Partial<AdapterHolder> } }
  const holder = container?.applicationConfig
  if (typeof holder?.getIoAdapter === 'function' && typeof holder.setIoAdapter === 'function') {
    return holder as AdapterHolder
  }
  warn('this version of Nest keeps its WebSocket adapter elsewhere: only WsTraceInterceptor has an effect')
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
