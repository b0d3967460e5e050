import type { DynamicModule } from '@nestjs/common'
import type { TelemetryOptions } from '@otel-ws/core'
import { copySignature, warn, wrapMethod } from '@otel-ws/core/adapter'
import { gatewayClass } from './gateway.ts'
import type { WsTraceModule } from './module.ts'

/** A module of an application, as Nest holds it. */
interface NestModule {
  readonly token: string
  readonly metatype: { readonly name: string }
  readonly providers: Map<unknown, { readonly metatype?: unknown; readonly instance?: unknown }>
}

/** The part of Nest's `DependenciesScanner` that is used: it reads the modules of an application before any is made. */
interface Scanner {
  readonly container: { getModules(): Map<string, NestModule> }
  scanForModules(parameters: { moduleDefinition: DynamicModule }): Promise<NestModule[]>
  scanModulesForDependencies(modules?: Map<string, NestModule>): Promise<void>
}

/** Who traces applications without a line of theirs. */
export interface ApplicationTracer {
  /** Options for an application that has gateways; `undefined` leaves it alone. */
  options(): TelemetryOptions | undefined
  /** The application is traced; `release` gives its servers and connections everything back. */
  traced(application: TracedApplication): void
}

/** An application that is traced without a line of its own. */
export interface TracedApplication {
  release(): void
  shutdown(): Promise<void>
}

/**
 * Has every application with gateways import `WsTraceModule`, unless it does so itself.
 *
 * @returns a function that gives the class its own methods back; applications that run are released one by one
 */
export function traceScanner(scannerClass: { readonly prototype: unknown }, tracer: ApplicationTracer): () => void {
  const prototype = scannerClass.prototype as Scanner
  const { scanModulesForDependencies } = prototype

  async function scanAndTrace(this: Scanner, ...args: [Map<string, NestModule>?]): Promise<void> {
    await scanModulesForDependencies.apply(this, args)
    // With arguments it is a module that is loaded later.
    if (args.length > 0) return
    const options = hasGateways(this) && !importsModule(this) ? tracer.options() : undefined
    if (options === undefined) return
    try {
      const added = await addModule(this, options)
      if (added === undefined) return
      await scanModulesForDependencies.call(this, new Map([[added.token, added]]))
      const application = applicationOf(added)
      applications.set(added, application)
      tracer.traced(application)
    } catch (error) {
      warn(`an application of Nest is left alone: ${error instanceof Error ? error.message : error}`)
    }
  }

  return wrapMethod(
    prototype,
    'scanModulesForDependencies',
    copySignature(scanAndTrace as never, scanModulesForDependencies as never),
  )
}

/** What is traced lives as long as the application. */
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
  // Only an application has Nest installed: without one these must not be loaded.
  const [{ WsTraceModule: module }, { ModulesContainer }] = await Promise.all([
    import('./module.ts'),
    import('@nestjs/core'),
  ])
  if (!(scanner.container.getModules() instanceof ModulesContainer)) {
    warn('an application of Nest is left alone: it has another copy of @nestjs/core than @otel-ws/nestjs')
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
    shutdown: async () => instance()?.onApplicationShutdown(),
  }
}
