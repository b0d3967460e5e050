import { type MeterProvider, metrics, type TracerProvider, trace } from '@opentelemetry/api'
import {
  InstrumentationBase,
  type InstrumentationConfig,
  InstrumentationNodeModuleDefinition,
  InstrumentationNodeModuleFile,
} from '@opentelemetry/instrumentation'
import type { TelemetryOptions } from '@otel-ws/core'
import { resolveOptions, type Telemetry } from '@otel-ws/core/adapter'
import { loadedFiles, requiredByApplication } from './loaded-modules.ts'
import { References } from './references.ts'
import { SCOPE } from './version.ts'

/** Configuration of an instrumentation: the options of the adapters, and `enabled`. */
export interface HostInstrumentationConfig extends TelemetryOptions, InstrumentationConfig {
  /** Enable the instrumentation when it is created. Default `true`. */
  enabled?: boolean
}

/** A file of a host whose exports are wrapped. */
export interface HostFile {
  /** The host's package. */
  readonly package: string
  /** Supported major versions; others are not traced. */
  readonly majors: readonly number[]
  /** Major versions in which there is nothing to trace: no warning is due. */
  readonly ignoredMajors?: readonly number[]
  /** Path inside the package. */
  readonly file: string
  /**
   * A file that this one requires. Hooks see it even if the host is imported by an ES module, whose first file only loader
   * hooks see.
   */
  readonly requires?: string
  /** Specifier to require this file if it is an ES module: no hook sees an ES module that is loaded by `require()`. */
  readonly specifier?: string
  /** True for the file that the package's name stands for: hooks see it by that name. */
  readonly isMain?: boolean
  /** Wraps the exports of the file. Returns a function that restores the original methods. */
  trace(exports: unknown): () => void
}

/**
 * Base class of the instrumentations. It finds all copies of the host, including those that were loaded before, and has the
 * adapter trace them while the instrumentation is enabled. Spans and metrics are those of the adapter.
 */
export abstract class HostInstrumentation extends InstrumentationBase<HostInstrumentationConfig> {
  /** Called when a copy of the host is found. */
  onHostFound: (() => void) | undefined
  /** Called before the first telemetry is created: the last moment to register an SDK. */
  beforeTelemetry: (() => void) | undefined
  /** By the exports of each copy. `restore` is `undefined` while the copy is not traced. */
  readonly #copies = new Map<unknown, { readonly file: HostFile; restore: (() => void) | undefined }>()
  readonly #unsupported = new Set<string>()
  readonly #telemetries = new References<Telemetry>()
  #telemetry: Telemetry | undefined
  #tracerProvider: TracerProvider | undefined
  #meterProvider: MeterProvider | undefined

  /** @throws OptionError for wrong options */
  constructor(name: string, config: HostInstrumentationConfig) {
    // Otherwise the base class would enable itself before this object is complete.
    super(name, SCOPE.version, { ...config, enabled: false })
    this.setConfig(config)
  }

  /** Returns the files of the host that are wrapped. Called by the constructor. */
  protected files(): readonly HostFile[] {
    return []
  }

  /** Enables the instrumentation. Subclasses call it at the end of their constructor. */
  protected start(): void {
    if (this.getConfig().enabled !== false) this.enable()
  }

  /** Creates the telemetry of the adapter. Not implemented for adapters that create it themselves. */
  protected createTelemetry?(options: TelemetryOptions): Telemetry

  /** The current telemetry, created at the first access; `undefined` if nothing is to be recorded. */
  protected get telemetry(): Telemetry | undefined {
    this.#telemetry ??= this.newTelemetry()
    return this.#telemetry?.options.enabled ? this.#telemetry : undefined
  }

  /** Creates telemetry for one server; `undefined` while this instrumentation is disabled. */
  protected newTelemetry(): Telemetry | undefined {
    if (!this.isEnabled() || this.createTelemetry === undefined) return undefined
    this.beforeTelemetry?.()
    const telemetry = this.createTelemetry(this.telemetryOptions())
    this.#telemetries.add(telemetry)
    return telemetry
  }

  /** Traces every copy of the host, those already loaded and those loaded later. */
  override enable(): void {
    super.enable()
    for (const [exports, copy] of this.#copies) copy.restore ??= this.#trace(copy.file, exports)
    this.#findLoaded()
  }

  /**
   * Restores every original method on classes, servers and open connections. Nothing more is recorded for open
   * connections, not even their close.
   */
  override disable(): void {
    super.disable()
    for (const copy of this.#copies.values()) {
      copy.restore?.()
      copy.restore = undefined
    }
    for (const telemetry of this.#telemetries.values()) telemetry.release()
    this.#telemetries.clear()
    this.#telemetry = undefined
  }

  /** Ends every span that is still open and flushes the SDK. Call it when the process stops. */
  async shutdown(): Promise<void> {
    await Promise.all(this.#telemetries.values().map((telemetry) => telemetry.shutdown()))
  }

  /** Takes effect for connections that are opened later. */
  override setConfig(config: HostInstrumentationConfig = {}): void {
    resolveOptions(withoutEnabled(config))
    super.setConfig(config)
    // The base class calls this in its constructor, before this field exists.
    if (#telemetry in this) this.#telemetry = undefined
  }

  /** Takes effect for connections that are opened later. */
  override setTracerProvider(provider: TracerProvider): void {
    super.setTracerProvider(provider)
    // The global provider is not kept: another one may be registered before the first connection opens.
    this.#tracerProvider = provider === trace.getTracerProvider() ? undefined : provider
    this.#telemetry = undefined
  }

  /** Takes effect for connections that are opened later. */
  override setMeterProvider(provider: MeterProvider): void {
    super.setMeterProvider(provider)
    this.#meterProvider = provider === metrics.getMeterProvider() ? undefined : provider
    this.#telemetry = undefined
  }

  /** True if a copy of the host is not traced because of its version. */
  protected get hasUnsupported(): boolean {
    return this.#unsupported.size > 0
  }

  /** Warns once that this version of a host is not supported. */
  protected warnUnsupported(host: string, version: string | undefined, majors: readonly number[]): void {
    const name = `${host} ${version ?? 'of an unknown version'}`
    if (this.#unsupported.has(name)) return
    this.#unsupported.add(name)
    this._diag.warn(`${name} is not traced: supported are ${majors.map((major) => `${major}.x`).join(' and ')}`)
  }

  protected override init(): InstrumentationNodeModuleDefinition[] {
    return this.files().map((file) => {
      const doNothing = () => {}
      const trace = (exports: unknown, version: string | undefined) => {
        this.#found(file, exports, version)
        return exports
      }
      // The file that requires this one has finished loading when the current synchronous run ends.
      const findLater = (exports: unknown) => {
        queueMicrotask(() => this.#findLoaded())
        return exports
      }
      const files = [new InstrumentationNodeModuleFile(`${file.package}/${file.file}`, ['*'], trace, doNothing)]
      if (file.requires !== undefined) {
        files.push(new InstrumentationNodeModuleFile(`${file.package}/${file.requires}`, ['*'], findLater, doNothing))
      }
      const { specifier } = file
      const requireFile = (exports: unknown, version: string | undefined) => {
        if (specifier !== undefined) this.#found(file, requiredByApplication(specifier), version)
        return exports
      }
      return new InstrumentationNodeModuleDefinition(
        file.package,
        ['*'],
        file.isMain ? trace : specifier ? requireFile : undefined,
        undefined,
        files,
      )
    })
  }

  #findLoaded(): void {
    for (const file of this.files()) {
      for (const { exports, version } of loadedFiles(file.package, file.file)) this.#found(file, exports, version)
    }
  }

  #found(file: HostFile, module: unknown, version: string | undefined): void {
    if (!this.isEnabled() || module === undefined) return
    // Loader hooks pass the namespace object of an ES module.
    const exports = (module as { default?: unknown } | null)?.default ?? module
    if (this.#copies.has(exports)) return
    const major = Number.parseInt(version ?? '', 10)
    if (file.ignoredMajors?.includes(major)) return
    if (!file.majors.includes(major)) {
      this.warnUnsupported(file.package, version, file.majors)
      return
    }
    this.#copies.set(exports, { file, restore: this.#trace(file, exports) })
    this.onHostFound?.()
  }

  #trace(file: HostFile, exports: unknown): (() => void) | undefined {
    try {
      return file.trace(exports)
    } catch (error) {
      this._diag.error(`${file.package}/${file.file} has unexpected exports and is not traced`, error)
      return undefined
    }
  }

  /** Returns the configured options, with the providers that were set. */
  protected telemetryOptions(): TelemetryOptions {
    return {
      ...withoutEnabled(this.getConfig()),
      ...(this.#tracerProvider && { tracerProvider: this.#tracerProvider }),
      ...(this.#meterProvider && { meterProvider: this.#meterProvider }),
    }
  }
}

function withoutEnabled({ enabled: _, ...options }: HostInstrumentationConfig): TelemetryOptions {
  return options
}
