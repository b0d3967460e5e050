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

/** Configuration of an instrumentation: the options of every adapter, and `enabled`. */
export interface HostInstrumentationConfig extends TelemetryOptions, InstrumentationConfig {
  /** Instrument at once. Default `true`. */
  enabled?: boolean
}

/** A file of a host in which something is traced. */
export interface HostFile {
  /** The host's package. */
  readonly package: string
  /** Major versions of it that are traced; others are left alone. */
  readonly majors: readonly number[]
  /** Path inside the package. */
  readonly file: string
  /** A file that this one requires: seen without a loader hook also where ES modules import the host. */
  readonly requires?: string
  /** How this one is required where it is an ES module, once the host was: no hook sees ES modules that are required. */
  readonly specifier?: string
  /** Traces what the file exports and returns a function that gives the host everything back. */
  trace(exports: unknown): () => void
}

/**
 * What the instrumentations of all hosts have in common: they find the copies of the host, also those that were loaded
 * before, hand each to the adapter, and take it back. Spans and metrics are the adapter's.
 */
export abstract class HostInstrumentation extends InstrumentationBase<HostInstrumentationConfig> {
  /** Called when a copy of the host is found. */
  hostFound: (() => void) | undefined
  /** Called before telemetry is made, when an SDK can still be set up. */
  beforeUse: (() => void) | undefined
  /** For each copy of a host's file, how the host gets everything back; `undefined` while nothing is traced. */
  readonly #copies = new Map<unknown, { readonly file: HostFile; restore: (() => void) | undefined }>()
  readonly #leftAlone = new Set<string>()
  readonly #telemetries = new References<Telemetry>()
  #telemetry: Telemetry | undefined
  #tracerProvider: TracerProvider | undefined
  #meterProvider: MeterProvider | undefined

  /** @throws OptionError for wrong options */
  constructor(name: string, config: HostInstrumentationConfig) {
    // The base class would patch at once, before this object is complete.
    super(name, SCOPE.version, { ...config, enabled: false })
    this.setConfig(config)
  }

  /** The files of the host in which something is traced. Called while this object is being made. */
  protected files(): readonly HostFile[] {
    return []
  }

  /** Called by the constructor of the class for one host, when the object is complete. */
  protected start(): void {
    if (this.getConfig().enabled !== false) this.enable()
  }

  /** Makes the adapter's telemetry, for adapters that do not do so themselves. */
  protected createTelemetry?(options: TelemetryOptions): Telemetry

  /** Telemetry for what happens now, made when it is first needed; `undefined` when nothing is to be told. */
  protected get telemetry(): Telemetry | undefined {
    this.#telemetry ??= this.newTelemetry()
    return this.#telemetry?.options.enabled ? this.#telemetry : undefined
  }

  /** Telemetry of one server that is shut down with it; `undefined` while this instrumentation is disabled. */
  protected newTelemetry(): Telemetry | undefined {
    if (!this.isEnabled() || this.createTelemetry === undefined) return undefined
    this.beforeUse?.()
    const telemetry = this.createTelemetry(this.telemetryOptions())
    this.#telemetries.add(telemetry)
    return telemetry
  }

  /** Traces every copy of the host, loaded or yet to be loaded. */
  override enable(): void {
    super.enable()
    for (const [exports, copy] of this.#copies) copy.restore ??= this.#trace(copy.file, exports)
    this.#findLoaded()
  }

  /**
   * Gives back every function that was replaced, on classes, servers and open connections. Connections that are open are
   * told no more, also not their close.
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

  /** Takes effect for connections that open from now on. */
  override setConfig(config: HostInstrumentationConfig = {}): void {
    resolveOptions(withoutEnabled(config))
    super.setConfig(config)
    // The base class calls this before the object is complete.
    if (#telemetry in this) this.#telemetry = undefined
  }

  /** Takes effect for connections that open from now on. */
  override setTracerProvider(provider: TracerProvider): void {
    super.setTracerProvider(provider)
    // What is global now may be another one by the time that the first connection opens.
    this.#tracerProvider = provider === trace.getTracerProvider() ? undefined : provider
    this.#telemetry = undefined
  }

  /** Takes effect for connections that open from now on. */
  override setMeterProvider(provider: MeterProvider): void {
    super.setMeterProvider(provider)
    this.#meterProvider = provider === metrics.getMeterProvider() ? undefined : provider
    this.#telemetry = undefined
  }

  /** Says once that this version of a host is not supported. */
  protected leaveAlone(host: string, version: string | undefined, majors: readonly number[]): void {
    const name = `${host} ${version ?? 'of an unknown version'}`
    if (this.#leftAlone.has(name)) return
    this.#leftAlone.add(name)
    this._diag.warn(`${name} is left alone: supported are ${majors.map((major) => `${major}.x`).join(' and ')}`)
  }

  protected override init(): InstrumentationNodeModuleDefinition[] {
    return this.files().map((file) => {
      const keep = () => {}
      const trace = (exports: unknown, version: string | undefined) => {
        this.#found(file, exports, version)
        return exports
      }
      // The host's own file is loaded by the time that the present run of code is over.
      const look = (exports: unknown) => {
        queueMicrotask(() => this.#findLoaded())
        return exports
      }
      const files = [new InstrumentationNodeModuleFile(`${file.package}/${file.file}`, ['*'], trace, keep)]
      if (file.requires !== undefined) {
        files.push(new InstrumentationNodeModuleFile(`${file.package}/${file.requires}`, ['*'], look, keep))
      }
      const { specifier } = file
      const require = (exports: unknown, version: string | undefined) => {
        if (specifier !== undefined) this.#found(file, requiredByApplication(specifier), version)
        return exports
      }
      return new InstrumentationNodeModuleDefinition(
        file.package,
        ['*'],
        specifier ? require : undefined,
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
    // A loader hook passes the namespace of an ES module.
    const exports = (module as { default?: unknown } | null)?.default ?? module
    if (this.#copies.has(exports)) return
    if (!file.majors.includes(Number.parseInt(version ?? '', 10))) {
      this.leaveAlone(file.package, version, file.majors)
      return
    }
    this.#copies.set(exports, { file, restore: this.#trace(file, exports) })
    this.hostFound?.()
  }

  #trace(file: HostFile, exports: unknown): (() => void) | undefined {
    try {
      return file.trace(exports)
    } catch (error) {
      this._diag.error(`${file.package}/${file.file} is not what was expected: left alone`, error)
      return undefined
    }
  }

  /** What is configured, with the providers that were set. */
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
