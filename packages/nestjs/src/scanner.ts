import type { DynamicModule } from '@nestjs/common'
import type { TelemetryOptions } from '@otel-ws/core'
import { warn } from '@otel-ws/core/adapter'
import { copySignature, wrapMethod } from '@otel-ws/core/node'
import { gatewayClass } from './gateway.ts'
import type { WsTraceModule } from './module.ts'

/** A module in Nest's container. */
interface NestModule {
  readonly token: string
  readonly metatype: { readonly name: string }
  readonly providers: Map<unknown, { readonly metatype?: unknown; readonly instance?: unknown }>
}

/** The members of Nest's `DependenciesScanner` that are used. It reads an application's modules before they are created. */
interface Scanner {
  readonly container: { getModules(): Map<string, NestModule> }
  scanForModules(parameters: { moduleDefinition: DynamicModule }): Promise<NestModule[]>
  scanModulesForDependencies(modules?: Map<string, NestModule>): Promise<void>
}

/** An instrumentation that traces applications without changes to their code. */
export interface ApplicationTracer {
  /** Returns the options for a new application with gateways; `undefined` leaves it untraced. */
  options(): TelemetryOptions | undefined
  /** Called when an application is traced. */
  onTraced(application: TracedApplication): void
}

/** Handle of an application that an instrumentation traces. */
export interface TracedApplication {
  /** Restores the original methods of the application's servers and connections. */
  release(): void
  /** Ends every span that is still open and flushes the SDK. */
  shutdown(): Promise<void>
}

/**
 * Adds `WsTraceModule` to every application with gateways that does not import it itself.
 *
 * @returns a function that restores the original methods of the class; running applications have a `release` of their own
 */
export function traceScanner(scannerClass: { readonly prototype: unknown }, tracer: ApplicationTracer): () => void {
  const prototype = scannerClass.prototype as Scanner
  const { scanModulesForDependencies } = prototype

  async function scanAndTrace(this: Scanner, ...args: [Map<string, NestModule>?]): Promise<void> {
    await scanModulesForDependencies.apply(this, args)
    // With arguments, Nest scans a module that is loaded lazily.
    if (args.length > 0) return
    const options = hasGateways(this) && !importsModule(this) ? tracer.options() : undefined
    if (options === undefined) return
    try {
      const added = await addModule(this, options)
      if (added === undefined) return
      await scanModulesForDependencies.call(this, new Map([[added.token, added]]))
      const application = applicationOf(added)
      applications.set(added, application)
      tracer.onTraced(application)
    } catch (error) {
      warn(`a Nest application is not traced: ${error instanceof Error ? error.message : error}`)
    }
  }

  return wrapMethod(
    prototype,
    'scanModulesForDependencies',
    copySignature(scanAndTrace as never, scanModulesForDependencies as never),
  )
}

/** Keeps the handle of an application alive as long as the application. */
const applications = new WeakMap<NestModule, TracedApplication>()

function hasGateways({ container }: Scanner): boolean {
  for (const { providers } of container.getModules().values()) {
    for (const { metatype } of providers.values()) if (gatewayClass(metatype) !== undefined) return true
  }
  return false
}

const MODULE = 'WsTraceModule'

function importsModule({ container }: Scanner): boolean {
  return [...container.getModules().values()].some(({ metatype }) => metatype.name === MODULE)
}

async function addModule(scanner: Scanner, options: TelemetryOptions): Promise<NestModule | undefined> {
  // Imported here because Nest is installed only where an application uses it.
  const [{ WsTraceModule: module }, { ModulesContainer }] = await Promise.all([
    import('./module.ts'),
    import('@nestjs/core'),
  ])
  if (!(scanner.container.getModules() instanceof ModulesContainer)) {
    warn('a Nest application is not traced: it has another copy of @nestjs/core than @otel-ws/nestjs')
    return undefined
  }
  const [added] = await scanner.scanForModules({ moduleDefinition: module.forRoot(options) })
  return added
}

function applicationOf(added: NestModule): TracedApplication {
  const instance = () => {
    for (const [token, provider] of added.providers) {
      if (token === added.metatype) return provider.instance as WsTraceModule | undefined
    }
    return undefined
  }
  return {
    release: () => instance()?.release(),
    shutdown: async () => instance()?.shutdown(),
  }
}
